"""Cost and agreement of BSS Eval: sepcli's own against museval and mir_eval.

    python benchmarks/bss_eval.py [--write]

Each figure is taken in a process of its own with one BLAS thread. CPU time is that of the call
alone, without imports and without making the audio; the least of up to five calls, or as many as
fit into 20 seconds. Memory is the process's peak resident set, so with Python, the imports, the
inputs, whose size is told beside, and what making them took. museval and ours get the same
samples in the layout that each asks for.

The audio is seeded: noise through one pole per channel, louder and softer every second; an
estimate is 0.9 of its source, 0.1 of the next one and noise 30 dB down. Music is at 44.1 kHz in
stereo, scored by the second; speech at 16 kHz in mono, scored as a whole with the best
permutation. `--write` writes results/bss_eval.json and the plot docs/images/bss_eval_growth.svg.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter

HERE = Path(__file__).parent
PLOT = HERE.parent / "docs/images/bss_eval_growth.svg"
LENGTHS = 10, 30, 60, 240  # seconds
SOURCES = 2, 3, 4, 6
MUSIC, SPEECH = (44_100, 2), (16_000, 1)  # sample rate in Hz, channels
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class Case(NamedTuple):
    """What a process measures."""

    tool: str
    seconds: int
    sources: int

    @property
    def form(self) -> tuple[int, int]:
        return SPEECH if self.tool in ("mir_eval", "bss_eval_v3") else MUSIC

    @property
    def samples_first(self) -> bool:
        return self.tool == "museval"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--case", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.case:
        tool, seconds, sources, path = given.case
        print(json.dumps(measure(Case(tool, int(seconds), int(sources)), Path(path))))
        return
    figures = compare()
    text = json.dumps(figures, indent=1)
    print(text)
    if given.write:
        (HERE / "results/bss_eval.json").write_text(text + "\n")
        draw(figures, PLOT)


def compare() -> dict[str, object]:
    """All figures, by tool."""
    python = platform.python_version()
    rows, agreement = [], {}
    with tempfile.TemporaryDirectory() as folder:
        for seconds, sources in sorted({(s, 4) for s in LENGTHS} | {(10, n) for n in SOURCES}):
            theirs, ours = Case("museval", seconds, sources), Case("bss_eval_v4", seconds, sources)
            rows += [run(case, folder) for case in (theirs, ours)]
            rows.append(run(Case("csdr", seconds, sources), folder))
            agreement[f"museval, {seconds} s, {sources} sources"] = difference(folder, theirs, ours)
        for sources in SOURCES:
            theirs, ours = Case("mir_eval", 10, sources), Case("bss_eval_v3", 10, sources)
            rows += [run(case, folder) for case in (theirs, ours)]
            agreement[f"mir_eval, 10 s, {sources} sources"] = difference(folder, theirs, ours)
    return {
        "machine": f"{platform.machine()}, one thread, Python {python}, numpy {np.__version__}",
        "rows": rows,
        "largest_difference_db": agreement,
    }


def run(case: Case, folder: str) -> dict[str, object]:
    """Measure in a process of its own; its scores stay in the folder."""
    words = [sys.executable, __file__, "--case", *map(str, case), str(scores_path(folder, case))]
    done = subprocess.run(
        words, env=os.environ | ONE_THREAD, stdout=subprocess.PIPE, check=True, text=True
    )
    row = {**case._asdict(), **json.loads(done.stdout)}
    print(row, file=sys.stderr)
    return row


def scores_path(folder: str, case: Case) -> Path:
    return Path(folder) / f"{case.tool}-{case.seconds}-{case.sources}.npy"


def difference(folder: str, one: Case, other: Case) -> dict[str, float]:
    """Largest difference of two tools' scores, dB, by column."""
    a, b = (np.load(scores_path(folder, case)) for case in (one, other))
    names = ("sdr", "sir", "sar") if len(a) == 3 else ("sdr", "isr", "sir", "sar")
    worst = np.abs(a - b).reshape(len(names), -1).max(axis=1)
    return {name: float(f"{value:.1e}") for name, value in zip(names, worst, strict=True)}


def measure(case: Case, path: Path) -> dict[str, float]:
    """CPU seconds and peak memory of one tool."""
    warnings.simplefilter("ignore", FutureWarning)
    score = tool(case)
    references, estimates = audio(case)
    taken: list[float] = []
    while len(taken) < 5 and sum(taken) < 20:
        start = time.process_time()
        scores = score(references, estimates)
        taken.append(time.process_time() - start)
    np.save(path, np.array(scores))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    inputs = references.nbytes + estimates.nbytes
    return {
        "cpu_seconds": round(min(taken), 4),
        "peak_rss_mb": round(peak / 1e6, 1),
        "inputs_mb": round(inputs / 1e6, 1),
    }


def tool(case: Case):
    """The function that scores, giving its columns in a list. Only its own package is imported."""
    rate = case.form[0]
    if case.tool == "museval":
        from museval.metrics import bss_eval

        return lambda s, e: bss_eval(s, e, rate, rate)[:4]
    if case.tool == "mir_eval":
        from mir_eval.separation import bss_eval_sources

        return lambda s, e: bss_eval_sources(s[:, 0], e[:, 0])[:3]
    return own_tool(case.tool, rate)


def own_tool(name: str, rate: int):
    from sepcli.evaluation.metrics import bss_eval_v3, bss_eval_v4, csdr

    def v3(s: np.ndarray, e: np.ndarray) -> list[np.ndarray]:
        scores = bss_eval_v3.bss_eval_sources(s[:, 0], e[:, 0], compat="museval")
        return [scores.sdr, scores.sir, scores.sar]

    def v4(s: np.ndarray, e: np.ndarray) -> list[np.ndarray]:
        scores = bss_eval_v4.bss_eval(s, e, rate, rate, "museval")
        return [scores.sdr, scores.isr, scores.sir, scores.sar]

    def frame_sdr(s: np.ndarray, e: np.ndarray) -> list[np.ndarray]:
        return [csdr.frame_sdr(s, e, rate, rate, "museval")]

    return {"bss_eval_v3": v3, "bss_eval_v4": v4, "csdr": frame_sdr}[name]


def audio(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """References and estimates, (sources, channels, samples) or as museval has them."""
    (rate, channels), rng = case.form, np.random.default_rng(4)
    samples = case.seconds * rate
    shape = (samples, channels) if case.samples_first else (channels, samples)
    references, estimates = np.empty((2, case.sources, *shape))
    level = np.repeat(10 ** rng.uniform(-2, 0, (case.sources, case.seconds)), rate, axis=1)
    for i, c in np.ndindex(case.sources, channels):
        pole = 0.95 - 0.2 * i - 0.05 * c
        noise = lfilter([1], [1, -pole], rng.standard_normal(samples))
        channel(references[i], c, case)[:] = 0.1 * level[i] * noise
    for i, c in np.ndindex(case.sources, channels):
        target = channel(references[i], c, case)
        other = channel(references[(i + 1) % case.sources], c, case)
        hiss = 0.03 * target.std() * rng.standard_normal(samples)
        channel(estimates[i], c, case)[:] = 0.9 * target + 0.1 * other + hiss
    return references, estimates


def channel(source: np.ndarray, number: int, case: Case) -> np.ndarray:
    """A view."""
    return source[:, number] if case.samples_first else source[number]


def draw(figures: dict, path: Path) -> None:
    """How CPU time grows with length and with the number of sources."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "sepcli"  # the same figures give the same file
    from matplotlib import pyplot

    figure, (by_length, by_sources) = pyplot.subplots(1, 2, figsize=(9, 3.6), sharey=True)
    for name in ("museval", "bss_eval_v4", "csdr"):
        curve(by_length, figures, name, "seconds", lambda row: row["sources"] == 4)
    for name in ("museval", "bss_eval_v4", "csdr", "mir_eval", "bss_eval_v3"):
        curve(by_sources, figures, name, "sources", lambda row: row["seconds"] == 10)
    by_length.set(xlabel="length of 4 stereo sources at 44.1 kHz, s", ylabel="CPU time, s")
    by_sources.set(xlabel="sources of 10 s (v3: mono at 16 kHz)")
    for axes in (by_length, by_sources):
        axes.set(xscale="log", yscale="log")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    by_length.set_xticks(LENGTHS, LENGTHS)
    by_sources.set_xticks(SOURCES, SOURCES)
    for axes in (by_length, by_sources):
        axes.minorticks_off()
    figure.tight_layout()
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def curve(axes, figures: dict, name: str, key: str, wanted) -> None:
    """One tool's line."""
    rows = [row for row in figures["rows"] if row["tool"] == name and wanted(row)]
    points = sorted((row[key], row["cpu_seconds"]) for row in rows)
    style = "--o" if name in ("museval", "mir_eval") else "-o"
    axes.plot(*zip(*points, strict=True), style, markersize=4, label=name)


if __name__ == "__main__":
    main()
