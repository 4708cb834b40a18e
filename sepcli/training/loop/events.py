"""What a training tells while it runs; displays and logs are readers of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Started:
    """The first step is about to be taken.

    Attributes:
        step: steps that were taken before, in an earlier part of the run.
        steps: that will have been taken in the end.
        parameters: how many numbers are trained.
        device: that computes.
        processes: that share every batch.
        changed: keys of the config that had another value in the earlier part.
        title: of this part of the run, for displays.
    """

    step: int
    steps: int
    parameters: int
    device: str
    processes: int
    changed: tuple[str, ...] = ()
    title: str = "training"


@dataclass(frozen=True)
class Stepped:
    """A step was taken.

    Attributes:
        step: steps taken so far.
        steps: that will have been taken in the end.
        figures: means over the batches of the step, in all processes; `loss` is one of them.
        samples_per_second: items of batches, over the last steps and all processes.
        wait_share: of the time went by waiting for data, over the last steps.
    """

    step: int
    steps: int
    figures: Mapping[str, float]
    samples_per_second: float
    wait_share: float


@dataclass(frozen=True)
class Skipped:
    """A step moved nothing, because its loss or gradient was not finite."""

    step: int
    in_a_row: int


@dataclass(frozen=True)
class Validated:
    """The averaged weights were scored; `best` says whether no earlier ones were as good."""

    step: int
    figures: Mapping[str, float]
    best: bool


@dataclass(frozen=True)
class Saved:
    """A checkpoint is safely on disk."""

    step: int
    path: str


@dataclass(frozen=True)
class Noted:
    """Something worth knowing that stops nothing."""

    text: str


@dataclass(frozen=True)
class Finished:
    """No step is left, or none is worth taking.

    Attributes:
        step: steps taken.
        reason: all steps were taken, or validation has not improved for long.
        best_step: after which the weights scored best; None if they were never scored.
    """

    step: int
    reason: Literal["steps", "patience"]
    best_step: int | None


Event = Started | Stepped | Skipped | Validated | Saved | Noted | Finished
