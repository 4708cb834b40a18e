"""Mutated inputs: every one is separated, told of, or refused in a clear line."""

import os
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import soundfile

from benchmarks import linear
from benchmarks.soak.harness import QUERY, Outcome, sepcli
from benchmarks.soak.judge import Told, unclear, wrong
from benchmarks.soak.listener import Listener
from benchmarks.soak.mutants.case import Mutant, Wave
from benchmarks.soak.mutants.every import mutants
from benchmarks.soak.mutants.originals import encoded, originals, real_sound
from benchmarks.soak.row import Observed

AT_ONCE = 25  # files of a command
LIMIT = 10.0  # seconds a file may take
BALLOON = 200e6  # bytes more than ordinary recordings take
QUICK = 5  # one of so many is tried


def provoke(folder: Path, quick: bool) -> Observed:
    """Separate all mutants, a command for every AT_ONCE of them."""
    seen = Observed()
    seen.never("tracebacks", "crashes", "hangs", "silent wrongs", "unclear lines", "balloons")
    seen.never("executed", "fetched")
    linear.write_model(folder / "model")
    secret = folder / "secret.wav"
    secret.write_bytes(encoded(real_sound(), "WAV", "PCM_16"))
    mark = folder / "executed"
    with Listener() as listener:
        cases = list(mutants(listener.address, str(secret), str(mark)))[:: QUICK if quick else 1]
        usual = ordinary_peak(folder)
        for start in range(0, len(cases), AT_ONCE):
            together(cases[start : start + AT_ONCE], folder, usual, seen)
    seen.counts["fetched"] = listener.visits
    seen.counts["executed"] = int(mark.exists())
    seen.trials = {"mutated inputs": len(cases)}
    seen.figures["kinds"] = dict(Counter(case.kind for case in cases))
    return seen


def ordinary_peak(folder: Path) -> int:
    """Memory that recordings in order take, bytes."""
    cases = [(f"whole.{item.extension}", item.content) for item in originals()]
    return separated(cases, folder).peak


def together(cases: Sequence[Mutant], folder: Path, usual: int, seen: Observed) -> None:
    """Separate some in one command; if that went wrong, each alone, to find out which it was."""
    outcome = separated([(case.name, case.content) for case in cases], folder)
    sound = outcome.code in (0, 1) and not outcome.noise() and outcome.peak < usual + BALLOON
    if not sound and len(cases) > 1:
        for case in cases:
            together([case], folder, usual, seen)
        return
    for case in cases:
        judge(case, outcome, folder, seen)
    if not sound:
        blame(cases[0], outcome, usual, seen)


def separated(files: Sequence[tuple[str, bytes]], folder: Path) -> Outcome:
    """Write files, and run a command over them."""
    inputs = folder / "inputs"
    for place in (inputs, folder / "stems"):
        shutil.rmtree(place, ignore_errors=True)
    inputs.mkdir()
    for name, content in files:
        (inputs / name).write_bytes(content)
    return sepcli(
        "separate", *(f"inputs/{name}" for name, _ in files), "--query", QUERY,
        "--model", "model", "--output", "stems", "--progress", "json",
        folder=folder, limit=LIMIT * (2 + len(files)),
    )  # fmt: skip


def judge(case: Mutant, outcome: Outcome, folder: Path, seen: Observed) -> None:
    """Count what is wrong with one file of a command."""
    told = Told()
    for event in outcome.events():
        if event.get("path") == f"inputs/{case.name}":
            told.read(event)
    if (problem := wrong(case, told, stem_of(told, folder))) is not None:
        seen.happened("silent wrongs", f"{case.name}: {problem}")
    if (line := unclear(told)) is not None:
        seen.happened("unclear lines", f"{case.name}: {line}")


def stem_of(told: Told, folder: Path) -> Wave | None:
    """(samples, channels), None if there is no stem."""
    if told.stem is None:
        return None
    wave: Wave = soundfile.read(os.fsencode(folder / told.stem), dtype="float32", always_2d=True)[0]
    return wave


def blame(case: Mutant, outcome: Outcome, usual: int, seen: Observed) -> None:
    """Count what was wrong with the command itself."""
    last = outcome.noise()[-1:] or [""]
    if outcome.hung:
        seen.happened("hangs", case.name)
    elif outcome.code is not None and outcome.code < 0:
        seen.happened("crashes", f"{case.name}: signal {-outcome.code}")
    elif "Traceback" in outcome.err:
        seen.happened("tracebacks", f"{case.name}: {last[0]}")
    elif last[0] or outcome.code not in (0, 1):
        seen.happened("unclear lines", f"{case.name}: {last[0]} (exit code {outcome.code})")
    if outcome.peak >= usual + BALLOON:
        seen.happened("balloons", f"{case.name}: {outcome.peak / 1e6:.0f} MB")
