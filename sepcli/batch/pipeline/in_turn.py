"""One recording after another: their bytes do not depend on what else is in flight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Self

from sepcli.batch.pipeline.line import Work
from sepcli.separation.events import Event
from sepcli.separation.plan import Job
from sepcli.separation.runner import Runner


class InTurn:
    """A line with room for one recording.

    Args:
        runner: gives who answers what is asked of windows; called when a recording needs it.
        notices: where it leaves what a recording should be told.
    """

    def __init__(self, runner: Callable[[], Runner], notices: list[str]) -> None:
        self._runner, self._notices = runner, notices

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def make_room(self, _job: Job) -> Iterator[Event]:
        """There is room."""
        return iter(())

    def begin(self, _job: Job, work: Work) -> Iterator[Event]:
        """All that happens to a recording."""
        return work(self._runner(), self._notices)

    def finish(self) -> Iterator[Event]:
        """Nothing is left."""
        return iter(())

    def stop(self) -> Iterator[Event]:
        """Nothing is left."""
        return iter(())
