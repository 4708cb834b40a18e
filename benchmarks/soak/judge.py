"""What became of a mutated input, and whether that was honest."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.soak.harness import GAIN
from benchmarks.soak.mutants.case import Must, Mutant, Wave
from benchmarks.soak.mutants.originals import decoded

LONGEST_LINE = 300  # characters
INTERNAL = ("Errno", "NoneType", "object at 0x", "psf_", "avcodec_", "Traceback", "\\x")


@dataclass
class Told:
    """What the events said of one recording.

    Attributes:
        failed: whether it failed.
        finished: whether its stem was written.
        lines: errors with their remedies, and warnings.
        stem: the file, if there is one.
    """

    failed: bool = False
    finished: bool = False
    lines: list[str] = None  # type: ignore[assignment]
    stem: str | None = None

    def __post_init__(self) -> None:
        self.lines = []

    def read(self, event: dict[str, Any]) -> None:
        """Take an event in."""
        match event["event"]:
            case "Failed":
                self.failed = True
                self.lines += [event["error"], event["help"]]
            case "Notice":
                self.lines.append(event["message"])
            case "StemWritten":
                self.stem = event["output"]
            case "Finished":
                self.finished = True


def wrong(mutant: Mutant, told: Told, stem: Wave | None) -> str | None:
    """What is wrong with what became of a mutant; None if all is well."""
    if told.failed == told.finished:
        return "neither finished nor failed"
    quiet = told.finished and not told.lines
    if mutant.must is Must.whole and not quiet:
        return f"in order, but: {told.lines[0]}"
    if mutant.must is Must.refused and told.finished:
        return "no recording, but separated"
    if mutant.must is Must.told and quiet:
        return "damaged, and nothing said"
    if quiet and mutant.truth is not None and not _right(mutant, stem):
        return "another sound than is in the file, and nothing said"
    return None


def unclear(told: Told) -> str | None:
    """A line that nobody understands; None if there is none."""
    for line in told.lines:
        plain = line.isprintable() and 0 < len(line) <= LONGEST_LINE
        if not plain or any(word in line for word in INTERNAL):
            return line
    return None


def _right(mutant: Mutant, stem: Wave | None) -> bool:
    def same(wave: Wave) -> bool:
        assert stem is not None
        difference = np.abs(stem - GAIN * wave).max(initial=0.0) if stem.shape == wave.shape else 9
        return bool(difference <= mutant.tolerance)

    if stem is None or mutant.truth is None:
        return False
    return same(mutant.truth) or (mutant.must is Must.honest and same(decoded(mutant.content)))
