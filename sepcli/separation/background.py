"""Iterate over something while it is being made."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

_END = object()


class _Error:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def in_background(items: Iterable[T], ahead: int) -> Generator[T]:
    """Make items in a thread, at most `ahead` before they are wanted.

    An exception in the thread is raised here, in its turn. Closing the generator stops the thread.
    """
    ready: queue.Queue[object] = queue.Queue(maxsize=ahead)
    stopped = threading.Event()

    def offer(item: object) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def work() -> None:
        if stopped.is_set():
            return
        try:
            for item in items:
                if not offer(item):
                    return
            offer(_END)
        except BaseException as error:
            offer(_Error(error))
        finally:
            if isinstance(items, Generator):
                items.close()

    thread = threading.Thread(target=work, daemon=True)
    try:
        thread.start()
        while (item := ready.get()) is not _END:
            if isinstance(item, _Error):
                raise item.error
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        # A signal may end `start` before the thread says that it has started. Then it cannot be
        # joined, and finds that it need not begin.
        with suppress(RuntimeError):
            thread.join()
