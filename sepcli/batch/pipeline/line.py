"""What recordings pass through on their way to a device and back."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Protocol, Self

from sepcli.separation.events import Event
from sepcli.separation.plan import Job
from sepcli.separation.runner import Answering

Work = Callable[[Answering, list[str]], Generator[Event]]
"""Separates a recording, given who answers, and where notices will be."""


class Line(Protocol):
    """Recordings on their way through one device; a context that leaves nothing behind."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def make_room(self, job: Job) -> Iterator[Event]:
        """What happens until a recording can be begun."""
        ...

    def begin(self, job: Job, work: Work) -> Iterator[Event]:
        """Begin a recording for which there is room, and tell what happens meanwhile."""
        ...

    def finish(self) -> Iterator[Event]:
        """What happens until all recordings that were begun are done."""
        ...

    def stop(self) -> Iterator[Event]:
        """Give up what was begun, and tell what came to its end nevertheless."""
        ...
