"""What happens during a separation, as a stream.

Displays, the NDJSON log, the run report and Python callers all read this same stream.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Planned:
    """Work was checked and is about to start."""

    files: int
    seconds: float  # of audio, as far as the headers tell
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Started:
    """A recording is being separated."""

    path: str
    index: int
    seconds: float


@dataclass(frozen=True)
class Progress:
    """So many seconds of the recording are done."""

    path: str
    seconds: float


@dataclass(frozen=True)
class StemWritten:
    """A stem is whole and has its name."""

    path: str  # of the recording
    output: str
    query: str
    kind: str  # query, stem, residual or removed
    presence: float | None
    level_db: float | None  # RMS relative to the recording; None for silence


@dataclass(frozen=True)
class Notice:
    """Something the user should know: a warning, or a step back for want of memory."""

    path: str
    message: str


@dataclass(frozen=True)
class Detected:
    """What was found in a recording that nobody asked about, the surest first; maybe nothing."""

    path: str
    sounds: tuple[tuple[str, float], ...]  # name and score


@dataclass(frozen=True)
class Seen:
    """What pictures were taken to show, for a model that understands words only."""

    path: str  # of the recording
    query: str
    label: str  # that the model is asked for
    probability: float  # of the label, among all that it was chosen from
    others: tuple[str, ...]  # the next likely ones


@dataclass(frozen=True)
class Skipped:
    """The stems were there already, made from the same input, model and options."""

    path: str
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Failed:
    """A recording could not be separated; the others go on."""

    path: str
    error: str
    help: str
    exit_code: int
    kind: str = "ItemError"  # class of the error


@dataclass(frozen=True)
class Quarantined(Failed):
    """A recording failed in an earlier run, and was not tried again."""


@dataclass(frozen=True)
class Finished:
    """A recording is done."""

    path: str
    seconds: float  # of audio
    took: float  # of time
    gain: float  # of all stems, below 1 where one would have clipped
    mismatch_db: float | None  # peak of recording - sum of stems and rest; None if exactly 0


@dataclass(frozen=True)
class Done:
    """All recordings were tried."""

    finished: int
    skipped: int
    failed: int
    took: float
    exit_code: int


Event = (
    Planned
    | Detected
    | Started
    | Seen
    | Progress
    | StemWritten
    | Notice
    | Skipped
    | Failed
    | Quarantined
    | Finished
    | Done
)
