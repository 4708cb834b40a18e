"""Signals that ask a batch to stop, and clocks that jump."""

import itertools
import random
import signal
import time
from pathlib import Path

from benchmarks.soak.field import COMMAND, again, begin, expect, field, half_written
from benchmarks.soak.harness import Outcome, Running, sepcli
from benchmarks.soak.row import Observed

TIMES, FEW = 8, 2
LIMIT = 180.0  # seconds, on a busy machine
DAY = 86_400.0  # seconds
SENT = {
    "SIGTERM": (signal.SIGTERM,),
    "SIGINT": (signal.SIGINT,),
    "SIGINT twice": (signal.SIGINT, signal.SIGINT),
    "SIGTERM, then SIGINT": (signal.SIGTERM, signal.SIGINT),
}


def provoke(folder: Path, quick: bool) -> Observed:
    """Each pair of signals at several moments, and then the clock."""
    seen, rng = begin(), random.Random(0)
    seen.never("not resumable")
    place = field(folder, (8.0, 8.0, 8.0), "PCM_16")
    took = sepcli(*COMMAND, folder=place).seconds
    for what, numbers in SENT.items():
        for _ in range(FEW if quick else TIMES):
            again(place)
            running = Running(COMMAND, place)
            time.sleep(rng.uniform(0, took))
            for number in numbers:
                running.send(number)
                time.sleep(rng.uniform(0, 0.05))
            stopped(running.finish(LIMIT), numbers, what, place, seen)
    clocks(place, seen)
    return seen


def stopped(
    outcome: Outcome, numbers: tuple[signal.Signals, ...], what: str, place: Path, seen: Observed
) -> None:
    """Look at a batch that was asked to stop, and let it go on."""
    seen.tried("stops")
    told = f"{what}: {outcome.code}, {outcome.err[-300:]!r}"
    possible = {0, -signal.SIGTERM, -signal.SIGINT, *(128 + number for number in numbers)}
    seen.expect(not outcome.hung, "hangs", what)
    seen.expect(outcome.code in possible, "wrong codes", told)
    seen.expect(outcome.clear, "unclear lines", told)
    for name in half_written(place / "stems"):
        seen.happened("half files", f"{what}: {name}")
    rest = sepcli(*COMMAND, "--skip-existing", folder=place)
    good = rest.code == 0 and len(list((place / "stems").glob("*.wav"))) == 3
    seen.expect(good, "not resumable", f"{what}: {rest.code}, {rest.err[-300:]!r}")


def clocks(place: Path, seen: Observed) -> None:
    """A clock that is set back a day in the middle, and one that is a day behind when going on."""
    again(place)
    (place / "plan.jsonl").unlink(missing_ok=True)
    planned = sepcli("plan", *COMMAND[1:], "--to", "plan.jsonl", folder=place)
    expect(planned, 0, "plan", place / "stems", seen)
    batch = ("separate", "--plan", "plan.jsonl", "--progress", "json")
    for what, prepare in {"set back": set_back, "a day behind": behind}.items():
        outcome = sepcli(*batch, folder=place, prepare=prepare)
        expect(outcome, 0, f"clock {what}", place / "stems", seen)
        took = [event["took"] for event in outcome.events() if "took" in event]
        seen.expect(all(0 <= t < DAY / 2 for t in took), "wrong codes", f"took {took}")
    skipped = sum(event["event"] == "Skipped" for event in outcome.events())
    seen.expect(skipped == 3, "not resumable", f"{skipped} of 3 were known to be done")


def set_back() -> None:
    """From its third question on, the clock says yesterday."""
    now, asked = time.time, itertools.count()
    time.time = lambda: now() - (DAY if next(asked) > 2 else 0)


def behind() -> None:
    """The clock says the day before yesterday."""
    now = time.time
    time.time = lambda: now() - 2 * DAY
