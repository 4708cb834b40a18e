"""Workers as processes of this machine, one for every device."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType, TracebackType
from typing import Self

from sepcli.batch.launchers.crew import LEAVE_SECONDS, Duty, Ended, Lost, News, Rows, Told, Worker

WAIT_SECONDS = 0.5  # for news, at most
VISIBLE = "CUDA_VISIBLE_DEVICES"


class LocalCrew:
    """Processes that are spawned, each with a pipe of its own: no lock outlives who held it.

    Args:
        duty: what they do.
        size: how many; None for one per GPU, or one where there is none.
        gpus: whether each is to see one GPU only.
    """

    chunks_each = 32

    def __init__(self, duty: Duty, size: int | None, gpus: bool = True) -> None:
        self._duty = duty
        self._gpus = visible_gpus() if gpus else []
        self.size = size or max(1, len(self._gpus))
        self._hired: dict[Connection, int] = {}
        self._processes: dict[int, tuple[BaseProcess, Connection]] = {}

    def __enter__(self) -> Self:
        for worker in range(self.size):
            self._hire(worker)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        processes = [process for process, _ in self._processes.values()]
        for process in processes:
            process.terminate()
        end = time.monotonic() + LEAVE_SECONDS
        for process in processes:
            process.join(max(0.0, end - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
        for _, connection in self._processes.values():
            connection.close()

    def give(self, worker: int, rows: Rows) -> None:
        """Send rows; if the worker has died, `news` will tell."""
        with suppress(OSError):
            self._processes[worker][1].send(rows)

    def news(self) -> Iterator[News]:
        """One item of every worker that has told something."""
        for connection in wait(list(self._hired), WAIT_SECONDS):
            assert isinstance(connection, Connection)
            worker = self._hired[connection]
            try:
                item = connection.recv()
            except (EOFError, OSError):
                del self._hired[connection]
                yield Lost(worker, self._buried(worker))
                continue
            yield Ended(worker) if item is None else Told(worker, item)

    def replace(self, worker: int) -> None:
        """Start another process."""
        self._hire(worker)

    def _hire(self, worker: int) -> None:
        ours, theirs = get_context("spawn").Pipe()
        gpu = self._gpus[worker % len(self._gpus)] if self._gpus else None
        threads = max(1, usable_cores() // self.size)
        # A daemon, so that it ends with us even if we never come to `__exit__`.
        process = get_context("spawn").Process(
            target=serve, args=(self._duty, theirs, threads, gpu), daemon=True
        )
        process.start()
        theirs.close()
        self._processes[worker] = process, ours
        self._hired[ours] = worker

    def _buried(self, worker: int) -> str:
        """What a worker died of."""
        process, connection = self._processes.pop(worker)
        connection.close()
        process.join(LEAVE_SECONDS)
        code = process.exitcode
        if code is not None and code < 0:
            return f"signal {signal.Signals(-code).name}"
        return f"exit code {code}"


def serve(duty: Duty, connection: Connection, threads: int, gpu: str | None) -> None:
    """A worker process: takes rows and tells events, until it is told to leave."""
    # Ctrl-C reaches all processes of a terminal; it is the parent who decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    if gpu is not None:
        os.environ[VISIBLE] = gpu
    threading.Thread(target=leave_with_parent, daemon=True).start()
    with suppress(EOFError, ConnectionError):  # a parent that is gone closes the pipe
        worker = Worker(duty, threads)
        while True:
            rows = connection.recv()
            with closing(worker.work(rows)) as items:
                for item in items:
                    connection.send(item)
            connection.send(None)


def leave_with_parent() -> None:
    """End this process as soon as its parent is gone, before another batch takes its place."""
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _leave(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # cleaning up is not to be disturbed
    sys.exit(128 + number)


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def visible_gpus() -> list[str]:
    """Names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES takes them."""
    import torch

    count = torch.cuda.device_count()
    named = [name.strip() for name in os.environ.get(VISIBLE, "").split(",") if name.strip()]
    return named[:count] if named else [str(number) for number in range(count)]
