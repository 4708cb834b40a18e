"""Signals that wait until a step is whole."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self

HELD = (signal.SIGINT, signal.SIGTERM)


class HeldSignals:
    """A context in which SIGINT and SIGTERM are noticed and not obeyed.

    Signals reach the main thread only; in another one this does nothing.

    Attributes:
        number: of the last signal that came; 0 if none did.
    """

    def __init__(self) -> None:
        self.number = 0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in HELD}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def obey(self, number: int) -> None:
        """Let a signal do now what it does outside this context, and hold the next ones."""
        self.__exit__()
        self.number = 0
        signal.raise_signal(number)
        self.__enter__()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.number = number
