"""How commands speak on standard error, in lines or above bars."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import ProgressColumn, TaskID


def printable(text: str) -> str:
    """Text that cannot move the cursor, whatever a file or a server calls itself."""
    return "".join(character if character.isprintable() else "?" for character in text)


def progress_kind(kind: str) -> str:
    """What "auto" stands for here: rich on a terminal, plain elsewhere; other kinds as they are."""
    if kind != "auto":
        return kind
    return "rich" if sys.stderr.isatty() else "plain"


class Voice:
    """Lines, one after another."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        sys.stderr.flush()

    def say(self, text: str) -> None:
        """Print a line."""
        print(printable(text), file=sys.stderr)


class BarVoice(Voice):
    """One bar that is gone in the end, and lines above it.

    Args:
        columns: of the bar, after its title.

    Attributes:
        bars: rich's own.
    """

    def __init__(self, *columns: ProgressColumn) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        title = TextColumn("{task.description}", markup=False)
        self._console = Console(stderr=True)
        self.bars = Progress(title, BarColumn(), *columns, console=self._console, transient=True)
        self._bar: TaskID | None = None

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._console.print(printable(text), markup=False, highlight=False)

    def show(self, title: str) -> None:
        """Begin a bar whose length is not known yet."""
        self.hide()
        self._bar = self.bars.add_task(printable(title), total=None)

    def move(self, completed: float, total: float | None) -> None:
        """Move the bar, if there is one."""
        if self._bar is not None:
            self.bars.update(self._bar, completed=completed, total=total)

    def hide(self) -> None:
        """Take the bar away, if there is one."""
        if self._bar is not None:
            self.bars.remove_task(self._bar)
            self._bar = None
