"""Workers as actors of a Ray cluster, wherever it runs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from types import TracebackType
from typing import Any, Self

from sepcli.batch.launchers.crew import LEAVE_SECONDS, Duty, Ended, Lost, News, Rows, Told, Worker
from sepcli.errors import UsageError

WAIT_SECONDS = 0.5  # for news, at most


class RayCrew:
    """Actors, one for every GPU or CPU core that they ask Ray for.

    Ray finds its cluster as always: RAY_ADDRESS, or a cluster that was started on this machine,
    or else one that lives as long as this command.

    Args:
        duty: what they do.
        size: how many; None for as many as the cluster has room for.
        gpus: whether each needs a GPU, if the cluster has any.

    Raises:
        UsageError: if Ray is not installed, or no cluster answers.
    """

    chunks_each = 32

    def __init__(self, duty: Duty, size: int | None, gpus: bool = True) -> None:
        self._duty = duty
        self._ray = installed_ray()
        self._ours = not self._ray.is_initialized()
        if self._ours:
            self._connect()
        there = self._ray.cluster_resources()
        kind = "GPU" if gpus and there.get("GPU") else "CPU"
        self._needs = {"num_gpus": 1} if kind == "GPU" else {"num_cpus": 1}
        self.size = size or max(1, int(there.get(kind, 1)))
        self._actors: dict[int, Any] = {}
        self._streams: dict[Any, int] = {}

    def __enter__(self) -> Self:
        for worker in range(self.size):
            self.replace(worker)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(self._ray.exceptions.RayError):
            self._leave()
        for actor in self._actors.values():
            self._ray.kill(actor)
        if self._ours:
            self._ray.shutdown()

    def give(self, worker: int, rows: Rows) -> None:
        """Call an actor; its answer streams back."""
        work = self._actors[worker].work.options(num_returns="streaming")
        self._streams[work.remote(rows)] = worker

    def news(self) -> Iterator[News]:
        """One item of every actor that has told something."""
        waiting = list(self._streams)
        ready, _ = self._ray.wait(
            waiting, num_returns=len(waiting), timeout=WAIT_SECONDS, fetch_local=False
        )
        for stream in ready or ():
            worker = self._streams[stream]
            try:
                yield Told(worker, self._ray.get(next(stream)))
            except StopIteration:
                del self._streams[stream]
                yield Ended(worker)
            except self._ray.exceptions.RayError as error:
                del self._streams[stream]
                yield Lost(worker, first_line(error))

    def replace(self, worker: int) -> None:
        """Start another actor."""
        # Two threads of calls: one works, and one can be told to stop.
        actor = self._ray.remote(Worker).options(max_concurrency=2, **self._needs)
        self._actors[worker] = actor.remote(self._duty)

    def _connect(self) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # sepcli tells nobody
        try:
            self._ray.init(log_to_driver=False, logging_level="error")
        except (ConnectionError, RuntimeError, ValueError) as error:
            message = f"no Ray cluster: {first_line(error)}"
            raise UsageError(message, "start one, or correct RAY_ADDRESS") from error

    def _leave(self) -> None:
        """Let actors that still work take away what is half-written."""
        for worker in self._streams.values():
            self._actors[worker].stop.remote()
        end = time.monotonic() + LEAVE_SECONDS
        while self._streams and time.monotonic() < end:
            for _ in self.news():
                pass


def installed_ray() -> Any:
    """Ray's module.

    Raises:
        UsageError: if it is not installed.
    """
    try:
        return import_module("ray")
    except ImportError as error:
        remedy = "pip install 'sepcli[ray]', or use --launcher local"
        raise UsageError("--launcher ray needs Ray", remedy) from error


def first_line(error: BaseException) -> str:
    """What an error says first; Ray's go on for a page."""
    return next(iter(str(error).splitlines()), type(error).__name__)
