"""Plans of many short recordings, of long ones, and with two workers, as a user runs them.

    python -m benchmarks.scale short shipped workers memory [--count 10000] [--write]

Every figure is of whole commands, measured from outside: wall time, and the peak resident set as
the kernel counted it. What the events say is used only where it is named.

`short`: recordings of one second (16 kHz, mono) through the linear network of `linear.py`, which
costs nothing, so that all else shows: one plan, against a command for every recording. Such
commands are timed for CALLS recordings, and the rest is extrapolated. Start-up is what a command
takes beyond the time between its first event and its last.
`shipped`: the same with the default model, 44.1 kHz stereo, as many as fit into a minute or so.
`workers`: recordings of 30 s with the default model; two workers with a thread each, against one
worker with one thread. That one is free to decode and encode on the second core; it is also
measured with no second core.
`memory`: a plan of one recording of several lengths; and of three that are in flight together.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from benchmarks import linear
from benchmarks.speed import RATE, tile

HERE = Path(__file__).parent
RESULT = HERE / "results/scale.json"
SHORT_RATE = 16_000  # Hz
CALLS = 10  # commands of their own that are timed
SHIPPED = 300  # short recordings for the default model
LONG, LONG_SECONDS = 240, 30.0  # recordings for workers, two hours, and how long each is
MINUTES = {"linear": (1, 10, 60, 180, 360), "shipped": (1, 10, 60)}
TOGETHER = 3, 10.0  # recordings in flight, and their minutes


def main() -> None:
    parts: dict[str, Callable[[Path, int], dict[str, object]]] = {
        "short": short,
        "shipped": shipped,
        "workers": workers,
        "memory": memory,
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="+", choices=parts)
    parser.add_argument("--count", type=int, default=10_000, help="short recordings")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    for name in given.parts:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["SEPCLI_HOME"] = folder + "/home"
            figures = {"machine": machine(), **parts[name](Path(folder), given.count)}
        print(json.dumps({name: figures}, indent=1))
        if given.write:
            merge(name, figures)


def machine() -> str:
    """What the figures were measured on, and when."""
    cores = f"{platform.machine()}, {os.cpu_count()} cores"
    return f"{cores}, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}"


def merge(name: str, figures: dict[str, object]) -> None:
    """Keep a part's figures beside those of the others."""
    before = json.loads(RESULT.read_text()) if RESULT.is_file() else {}
    RESULT.write_text(json.dumps({**before, name: figures}, indent=1) + "\n")


@dataclass(frozen=True)
class Run:
    """What a command took, and what it told.

    Attributes:
        wall: seconds.
        rss: bytes at most, of the command's own process.
        events: of the command, but progress.
    """

    wall: float
    rss: int
    events: list[dict]

    def last(self, kind: str) -> dict:
        """The last event of a kind."""
        return next(event for event in reversed(self.events) if event["event"] == kind)


def run(module: str, folder: Path, *words: object, cores: set[int] | None = None) -> Run:
    """Run sepcli, or the linear network in its place, to its end; perhaps on few cores."""
    log = folder / "events"
    began = time.perf_counter()
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, words)],
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={**os.environ, "PYTHONPATH": str(HERE.parent)},
            cwd=folder,
            preexec_fn=lambda: os.sched_setaffinity(0, cores) if cores else None,
        )
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{words} ended with {process.returncode}: {log.read_text()[-500:]}")
    lines = (line for line in log.read_text().splitlines() if line.startswith("{"))
    events = [json.loads(line) for line in lines]
    told = [event for event in events if event["event"] != "Progress"]
    return Run(wall, usage.ru_maxrss * 1024, told)


def plan(module: str, folder: Path, inputs: Path, *options: object) -> Run:
    """Make a plan of a folder."""
    to = ("--to", "plan.jsonl", "-o", "stems", "--overwrite")
    return run(module, folder, "plan", inputs, *options, *to)


def separate(module: str, folder: Path, *options: object, cores: set[int] | None = None) -> Run:
    """Separate the plan."""
    told = ("--progress", "json")
    return run(module, folder, "separate", "--plan", "plan.jsonl", *told, *options, cores=cores)


def short(folder: Path, count: int) -> dict[str, object]:
    """Many short recordings with the linear network."""
    model = linear.write_model(folder / "model")
    asked = ("--query", "a gain of 0.5", "--model", model)
    noises(folder / "in", count, SHORT_RATE, 1)
    return many("benchmarks.linear", folder, count, asked)


def shipped(folder: Path, _count: int) -> dict[str, object]:
    """Short recordings with the default model."""
    noises(folder / "in", SHIPPED, RATE, 2)
    return many("sepcli", folder, SHIPPED, ("--query", "dog barking"))


def noises(folder: Path, count: int, rate: int, channels: int) -> None:
    """Recordings of a second of noise, no two alike."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        wave = rng.uniform(-0.5, 0.5, (rate, channels))
        soundfile.write(folder / f"{number:05}.wav", wave, rate, "PCM_16")


def many(module: str, folder: Path, count: int, asked: tuple) -> dict[str, object]:
    """A plan of all recordings of a second, against a command for each of a few."""
    planned = plan(module, folder, folder / "in", *asked)
    done = separate(module, folder)
    names = sorted((folder / "in").iterdir())[: CALLS + 1]
    told = ("--progress", "json", "-o", "alone")
    calls = [run(module, folder, "separate", name, *asked, *told) for name in names][1:]
    call = float(np.median([one.wall for one in calls]))
    begun = [one.wall - one.last("Done")["took"] for one in calls]
    both = planned.wall + done.wall
    throughput = done.last("Throughput")
    return {
        "recordings": count,
        "plan_seconds": round(planned.wall, 1),
        "separate_seconds": round(done.wall, 1),
        "files_per_second": round(count / both, 1),
        "times_real_time": round(count / both, 1),  # a second each
        "device_busy": round(throughput["device_busy"], 3),
        "limit": throughput["limit"],
        "start_up_share": round(1 - throughput["took"] / done.wall, 4),
        "peak_rss_mb": round(done.rss / 1e6),
        "one_call_seconds": round(call, 2),
        "one_call_start_up_share": round(float(np.median(begun)) / call, 3),
        "one_by_one_hours_extrapolated": round(call * count / 3600, 2),
        "times_faster_than_one_by_one": round(call * count / both, 1),
    }


def workers(folder: Path, _count: int) -> dict[str, object]:
    """One worker with one thread, and two of them."""
    (folder / "in").mkdir()
    for number in range(LONG):  # a little longer each, so that no two are alike
        tile(folder / f"in/{number:02}.wav", LONG_SECONDS + number / 100)
    plan("sepcli", folder, folder / "in", "--query", "dog barking")
    os.environ["OMP_NUM_THREADS"] = "1"
    first = min(os.sched_getaffinity(0))
    ways = {
        "one": lambda: separate("sepcli", folder, "--workers", 1),
        "one_on_one_core": lambda: separate("sepcli", folder, "--workers", 1, cores={first}),
        "two": lambda: separate("sepcli", folder, "--workers", 2),
    }
    seconds = {}
    for way, go in ways.items():
        seconds[way] = go().wall
        shutil.rmtree(folder / "stems")
    return {
        "minutes_of_audio": round(LONG * LONG_SECONDS / 60, 1),
        **{f"{way}_seconds": round(took, 1) for way, took in seconds.items()},
        "two_against_one": round(seconds["one"] / seconds["two"], 2),
        "two_against_one_on_one_core": round(seconds["one_on_one_core"] / seconds["two"], 2),
    }


def memory(folder: Path, _count: int) -> dict[str, object]:
    """Peak resident sets by length."""
    model = linear.write_model(folder / "model")
    asked = {
        "linear": ("benchmarks.linear", ("--query", "a gain of 0.5", "--model", model)),
        "shipped": ("sepcli", ("--query", "dog barking")),
    }
    figures: dict[str, object] = {}
    for name, (module, words) in asked.items():
        peaks = {minutes: peak(module, folder, words, minutes) for minutes in MINUTES[name]}
        figures[name] = {
            "peak_rss_mb": {f"{minutes} min": round(rss / 1e6) for minutes, rss in peaks.items()},
            "longest_against_10_min": round(peaks[max(peaks)] / peaks[10], 3),
        }
    count, minutes = TOGETHER
    together = peak(*asked["shipped"][:1], folder, asked["shipped"][1], minutes, count)
    figures["together"] = {"recordings": count, "peak_rss_mb": round(together / 1e6)}
    return figures


def peak(module: str, folder: Path, asked: tuple, minutes: float, count: int = 1) -> int:
    """Peak resident set of a plan of recordings, bytes."""
    inputs = folder / f"in-{module}-{minutes}-{count}"
    inputs.mkdir()
    for number in range(count):
        if module == "sepcli":
            tile(inputs / f"{number}.wav", 60 * minutes + number)
        else:
            long_noise(inputs / f"{number}.wav", round(60 * minutes))
    plan(module, folder, inputs, *asked)
    rss = separate(module, folder).rss
    for path in (*inputs.iterdir(), *(folder / "stems").rglob("*.wav")):
        path.unlink()
    return rss


def long_noise(path: Path, seconds: int) -> None:
    """One second of noise, over and over, 16 kHz."""
    wave = np.random.default_rng(0).uniform(-0.5, 0.5, SHORT_RATE)
    with soundfile.SoundFile(path, "w", SHORT_RATE, 1, "PCM_16") as file:
        for _ in range(seconds):
            file.write(wave)


if __name__ == "__main__":
    main()
