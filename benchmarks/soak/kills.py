"""kill -9 at random moments of a batch, then the same command again, until it is done."""

import json
import random
import shutil
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import linear
from benchmarks.soak.harness import QUERY, Outcome, Running, sepcli
from benchmarks.soak.mutants.originals import encoded, real_sound
from benchmarks.soak.row import Observed

KILLS, FEW = 200, 12
FORMATS = {"wav": "PCM_16", "flac": "PCM_24", "w64": "FLOAT", "aiff": "PCM_16"}
RECORDINGS = 24  # more than are in flight at once, so that kills find finished ones
STEMS = 3  # of each
LIMIT = 180.0  # seconds that a batch may take on a busy machine
BATCH = ("separate", "--plan", "plan.jsonl", "--progress", "json")
PARTIAL = ".sepcli-partial-"


@dataclass
class Round:
    """One batch, killed and started again until it is done.

    Attributes:
        folder: where it works.
        finished: stems of recordings that were said to be finished, with what tells a file that
            was written again.
        kills: until now.
    """

    folder: Path
    finished: dict[Path, tuple[int, int]] = field(default_factory=dict)
    kills: int = 0

    @property
    def stems(self) -> Path:
        """Where its stems go."""
        return self.folder / "stems"


def provoke(folder: Path, quick: bool) -> Observed:
    """Kill batches until KILLS of them have died."""
    seen, rng = Observed(), random.Random(0)
    seen.never("stems lost", "half files", "finished work redone", "batches that did not end well")
    plan = planned(folder)
    whole, took = reference(folder, plan)
    wanted, number = FEW if quick else KILLS, 0
    seen.trials = {"kills": 0, "batches": 0}
    while seen.trials["kills"] < wanted:
        batch = Round(new_folder(folder / f"round-{number}", plan))
        number += 1
        to_the_end(batch, wanted - seen.trials["kills"], took, rng, whole, seen)
        seen.trials["kills"] += batch.kills
        seen.tried("batches")
        shutil.rmtree(batch.folder)
    seen.figures = {"recordings": RECORDINGS, "stems": len(whole), "seconds of a batch": took}
    return seen


def planned(folder: Path) -> Path:
    """Recordings of several formats and lengths, and a plan to separate them."""
    linear.write_model(folder / "model")
    (folder / "inputs").mkdir()
    names = []
    for number in range(RECORDINGS):
        extension, subtype = list(FORMATS.items())[number % len(FORMATS)]
        wave = real_sound(0.5 + 0.1 * number)
        name = folder / f"inputs/{number}.{extension}"
        name.write_bytes(encoded(wave, extension.upper(), subtype))
        names.append(name)
    made = sepcli(
        "plan", *names, "--query", QUERY, "--query", "a gain of 0.25", "--residual",
        "--model", folder / "model", "--output", "stems", "--to", "plan.jsonl", folder=folder,
    )  # fmt: skip
    if made.code:
        raise SystemExit(f"the plan failed: {made.err}")
    return folder / "plan.jsonl"


def new_folder(folder: Path, plan: Path) -> Path:
    """A folder with the plan."""
    folder.mkdir()
    shutil.copy(plan, folder / "plan.jsonl")
    return folder


def reference(folder: Path, plan: Path) -> tuple[dict[str, bytes], float]:
    """What a batch gives that nobody kills, and how long it takes."""
    place = new_folder(folder / "whole", plan)
    outcome = sepcli(*BATCH, folder=place)
    whole = contents(place / "stems")
    if outcome.code or len(whole) < STEMS * RECORDINGS:
        raise SystemExit(f"the batch failed: {outcome.err}")
    return whole, outcome.seconds


def contents(stems: Path) -> dict[str, bytes]:
    """The bytes of all files that have a stem's name."""
    files = (path for path in stems.glob("*") if not path.name.startswith("."))
    return {path.name: path.read_bytes() for path in files}


def to_the_end(
    batch: Round,
    kills: int,
    took: float,
    rng: random.Random,
    whole: dict[str, bytes],
    seen: Observed,
) -> None:
    """Run a batch, killing it at most so many times; it is looked at after each."""
    while True:
        running = Running(BATCH, batch.folder)
        if batch.kills < kills:
            time.sleep(rng.uniform(0, took))
            running.send(signal.SIGKILL)
        outcome = running.finish(LIMIT)
        look(batch, outcome, whole, seen)
        if outcome.code != -signal.SIGKILL:
            break
        batch.kills += 1
    found = contents(batch.stems)
    seen.expect(outcome.code == 0, "batches that did not end well", outcome.err[-300:])
    for name in whole.keys() - found.keys():
        seen.happened("stems lost", name)
    for path in batch.stems.glob(f"{PARTIAL}*"):
        seen.happened("half files", f"{path.name} left behind")


def look(batch: Round, outcome: Outcome, whole: dict[str, bytes], seen: Observed) -> None:
    """Count what a kill has spoilt."""
    for name, content in contents(batch.stems).items():
        seen.expect(content == whole.get(name), "half files", name)
    for path, before in batch.finished.items():
        if not path.exists():
            seen.happened("stems lost", f"{path.name}, which was finished")
        elif identity(path) != before:
            seen.happened("finished work redone", path.name)
    written: list[Path] = []
    for event in told(outcome):
        if event["event"] == "StemWritten":
            written.append(batch.folder / str(event["output"]))
        elif event["event"] == "Finished":
            batch.finished |= {path: identity(path) for path in written if path.exists()}
            written = []


def told(outcome: Outcome) -> list[dict[str, object]]:
    """The events of a command whose last line may be torn."""
    events = []
    for line in outcome.err.splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            break
    return events


def identity(path: Path) -> tuple[int, int]:
    """What changes if a file is written again."""
    state = path.stat()
    return state.st_ino, state.st_mtime_ns
