"""Memory that runs out: really, by a limit of the system, and pretended by the network."""

import resource
from pathlib import Path

from benchmarks import linear
from benchmarks.soak.field import COMMAND, again, begin, expect, field
from benchmarks.soak.harness import sepcli
from benchmarks.soak.row import Observed

MB = 1_000_000
WINDOW = 64.0  # seconds: 23 MB of samples, several times over
ALLOWED = {"just enough for shorter windows": (280, 0), "far too little": (12, 4)}  # MB, code
PRETENDED = {"half a window": 3_000_000, "a thirtieth": 200_000, "next to nothing": 10}  # values
ENOUGH = 180_000  # values: two seconds of two channels, which are not halved


def provoke(folder: Path, _quick: bool) -> Observed:
    """Limit the memory of commands more and more."""
    seen = begin()
    field(folder, (1.0, 200.0))
    stems = folder / "stems"
    command = (*COMMAND, "--window", WINDOW)
    for what, values in PRETENDED.items():
        outcome = sepcli(*command, folder=folder, prepare=lambda most=values: pretend(most))
        code = 0 if values > ENOUGH else 4
        expect(outcome, code, f"pretended: {what}", stems, seen, "out of memory")
        again(folder)
    for what, (megabytes, code) in ALLOWED.items():
        outcome = sepcli(*command, folder=folder, prepare=lambda mb=megabytes: limit(mb))
        expect(outcome, code, f"limited: {what}", stems, seen, "out of memory")
        again(folder)
    return seen


def pretend(most: int) -> None:
    """Let the network run out of memory at more than so many values."""
    linear.Linear.most = most


def limit(megabytes: int) -> None:
    """Allow this process so much more memory than it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    allowed = pages * resource.getpagesize() + megabytes * MB
    resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
