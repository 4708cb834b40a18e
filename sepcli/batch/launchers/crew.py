"""Workers somewhere, and what passes between them and the one who deals out the rows.

A worker is given a chunk, numbers of rows of a plan that both can read, and answers with the
events of these rows, one after another, until it has none left. Paths travel, waveforms never.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import torch

from sepcli.batch.plan_file import read_plan
from sepcli.batch.worker import PlanWorker, Policy
from sepcli.errors import SepcliError, UsageError
from sepcli.separation.events import Event, Progress

Rows = Sequence[int]  # their numbers in the plan
Item = Event | SepcliError  # of a worker: a refusal that is no row's fault comes last

SHARED = "plan, recordings and stems have to be on a disk that all machines share"
PROGRESS_SECONDS = 0.2  # between two about the progress of a recording
LEAVE_SECONDS = 30.0  # for stopped workers to clean up in; a busy disk takes its time


@dataclass(frozen=True)
class Told:
    """A worker told something."""

    worker: int
    item: Item


@dataclass(frozen=True)
class Ended:
    """A worker has nothing left to do."""

    worker: int


@dataclass(frozen=True)
class Lost:
    """A worker died, and what it had in hand is not finished."""

    worker: int
    reason: str


News = Told | Ended | Lost


class Crew(Protocol):
    """A context in which workers exist, numbered from 0.

    Attributes:
        size: how many work at once.
        chunks_each: in how many chunks each of them is given its share.
    """

    size: int
    chunks_each: int

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop all that still work, so that they leave nothing half-written."""
        ...

    def give(self, worker: int, rows: Rows) -> None:
        """Let a worker that has nothing to do work through rows."""
        ...

    def news(self) -> Iterator[News]:
        """What has happened since; waits a moment if nothing has."""
        ...

    def replace(self, worker: int) -> None:
        """Put another in the place of a worker that was lost."""
        ...


@dataclass(frozen=True)
class Duty:
    """What all workers of a batch are told; travels to each of them once.

    Attributes:
        plan: its file.
        digest: that the plan must have.
        folder: that relative paths start from.
        policy: how its rows are worked through.
    """

    plan: Path
    digest: str
    folder: Path
    policy: Policy

    def begin(self) -> Callable[[Rows], Generator[Event]]:
        """Open the plan; gives what does rows of it.

        Raises:
            UsageError: if it is not the plan that was dealt from.
            ModelError: if its model is not here.
        """
        plan = read_plan(self.plan)
        if plan.digest != self.digest:
            raise UsageError(f"{self.plan} is another file where a worker runs", SHARED)
        return PlanWorker(plan, self.policy).work


class Worker:
    """One worker, wherever it runs; its model is loaded once.

    Args:
        duty: what it does.
        threads: that the network may use; None for the machine's default.
    """

    def __init__(self, duty: Duty, threads: int | None = None) -> None:
        os.chdir(duty.folder)
        if threads is not None:
            torch.set_num_threads(threads)
        self._duty = duty
        self._do: Callable[[Rows], Generator[Event]] | None = None
        self._stopped = threading.Event()

    def work(self, rows: Rows) -> Generator[Item]:
        """Events of rows until all are tried, or `stop` is called in another thread."""
        try:
            self._do = self._do or self._duty.begin()
            with closing(self._do(rows)) as events:
                for event in thinned(events):
                    yield event
                    if self._stopped.is_set():
                        return
        except SepcliError as error:
            yield error

    def stop(self) -> None:
        """Leave off at the next event; what is half-written is taken away."""
        self._stopped.set()


def thinned(events: Iterator[Event]) -> Iterator[Event]:
    """Events without those about progress that nobody could read."""
    last = 0.0
    for event in events:
        if isinstance(event, Progress):
            if time.monotonic() - last < PROGRESS_SECONDS:
                continue
            last = time.monotonic()
        yield event
