"""Two batches that write to the same folder."""

from pathlib import Path

from benchmarks import linear
from benchmarks.soak.disk import wait_for
from benchmarks.soak.field import COMMAND, begin, expect, field
from benchmarks.soak.harness import Running, sepcli
from benchmarks.soak.row import Observed

TIMES, FEW = 10, 2
PAUSE = 3.0  # seconds for every window


def provoke(folder: Path, quick: bool) -> Observed:
    """Start two at a time: one is told, the other does its work."""
    seen = begin()
    seen.never("corrupted stems")
    for number in range(FEW if quick else TIMES):
        place = field(folder / str(number), (5.0, 0.5))
        stems = place / "stems"
        first = Running(COMMAND, place, prepare=slow)
        wait_for(stems / ".sepcli-lock")
        second = sepcli(*COMMAND, "--overwrite", folder=place, log="second")
        expect(second, 5, "the second", None, seen, "is writing to")
        expect(first.finish(180), 0, "the first", stems, seen)
        found = len(list(stems.glob("*.wav")))
        seen.expect(found == 2, "corrupted stems", f"{found} stems of 2")
    at_once(folder, seen)
    return seen


def slow() -> None:
    """Give the first batch something to do until the second has come."""
    linear.Linear.pause = PAUSE


def at_once(folder: Path, seen: Observed) -> None:
    """Two that start at the same moment: one works, or both are told; never both work."""
    place = field(folder / "at-once", (5.0,))
    both = [Running((*COMMAND, "--overwrite"), place, log=name) for name in ("one", "two")]
    codes = sorted(running.finish(180).code or 0 for running in both)
    seen.tried("commands")
    seen.expect(codes in ([0, 5], [0, 0]), "wrong codes", f"two at once: {codes}")
