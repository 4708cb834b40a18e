"""Batches in the order of their draws, mixed ahead by other processes or here."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch.utils.data import DataLoader, Dataset

from sepcli.errors import MemoryExhausted, SepcliError
from sepcli.training.loop.distributed import rank
from sepcli.training.loop.task import Task

AHEAD = 2  # batches that a worker has ready
KILLED = "DataLoader worker"  # how torch begins to tell of a worker that is gone


@dataclass(frozen=True)
class Refusal:
    """An error of a batch, in a form that can leave the process that met it."""

    kind: type[SepcliError]
    message: str
    remedy: str


class Draws(Dataset[Any]):
    """A task's batches, by draw; of each, this process's items.

    Args:
        task: that mixes them.
        size: items of a batch in this process.
    """

    def __init__(self, task: Task, size: int) -> None:
        self._task, self._first, self._size = task, rank() * size, size

    def __getitem__(self, draw: int) -> Any:
        try:
            return self._task.batch(draw, self._first, self._size)
        except SepcliError as error:
            return Refusal(type(error), str(error), error.remedy)


def batches(task: Task, size: int, draws: Sequence[int], workers: int) -> Iterator[Any]:
    """A batch for every draw, in order.

    A batch is decided by its draw alone, so the number of workers changes nothing but the speed.
    Each worker holds its own decoded sounds.

    Args:
        task: see `Task.batch`.
        size: items of a batch in this process.
        draws: numbers of the batches.
        workers: processes that mix; 0 for this one.

    Raises:
        SepcliError: what the task raises.
        MemoryExhausted: if the system has killed a worker.
    """
    loader = DataLoader(
        Draws(task, size),
        batch_size=None,
        sampler=draws,
        num_workers=workers,
        collate_fn=_as_it_is,
        worker_init_fn=_leave_signals,
        prefetch_factor=AHEAD if workers else None,
    )
    with _explained():
        for batch in loader:
            if isinstance(batch, Refusal):
                raise batch.kind(batch.message, batch.remedy)
            yield batch


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if not str(error).startswith(KILLED):
            raise
        remedy = "lower `memory_gib`, which each of them may take, or `loop.workers`"
        raise MemoryExhausted("a process that mixes was killed", remedy) from error


def _as_it_is(batch: Any) -> Any:
    return batch


def _leave_signals(_worker: int) -> None:
    """What stops a run goes to all its processes; the one that trains tells workers to end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
