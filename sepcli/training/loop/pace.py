"""How fast a training runs, and how much of the time it waits for data."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

STEPS = 20  # that figures are taken over


@dataclass(frozen=True)
class Mark:
    """Where the clock stood at the end of a step, and how long was waited so far, seconds."""

    time: float
    waited: float


class Pace:
    """A clock of steps.

    Args:
        samples: items of a step, over all processes.
    """

    def __init__(self, samples: int) -> None:
        self._samples = samples
        self._waited = 0.0
        self._marks: deque[Mark] = deque([Mark(time.monotonic(), 0.0)], maxlen=STEPS + 1)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around what waits for data."""
        began = time.monotonic()
        yield
        self._waited += time.monotonic() - began

    def pause(self) -> None:
        """Begin anew: what happened since the last step was none."""
        self._marks.clear()
        self._marks.append(Mark(time.monotonic(), self._waited))

    def stepped(self) -> tuple[float, float]:
        """Samples a second and share of waiting, over the last steps and this one."""
        self._marks.append(Mark(time.monotonic(), self._waited))
        first, last = self._marks[0], self._marks[-1]
        passed = max(last.time - first.time, 1e-9)
        speed = self._samples * (len(self._marks) - 1) / passed
        return speed, (last.waited - first.waited) / passed
