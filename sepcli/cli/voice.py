"""How commands speak on standard error, in lines or above bars."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from rich.progress import ProgressColumn, TaskID


T = TypeVar("T")


def printable(text: str) -> str:
    """Text that cannot move the cursor, whatever a file or a server calls itself."""
    return "".join(character if character.isprintable() else "?" for character in text)


def progress_kind(kind: str) -> str:
    """What "auto" stands for here: rich on a terminal, plain elsewhere; other kinds as they are."""
    if kind != "auto":
        return kind
    return "rich" if sys.stderr.isatty() else "plain"


def display_class(
    kind: str, *, none: type[T], json: type[T], plain: type[T], rich: type[T]
) -> type[T]:
    """The display of a name; auto is rich on a terminal, plain elsewhere."""
    return {"none": none, "json": json, "plain": plain, "rich": rich}[progress_kind(kind)]


def print_event(event: DataclassInstance) -> None:
    """Print an event as a JSON object on a line of its own, for programs."""
    print_json({"event": type(event).__name__, **asdict(event)})


def print_json(line: Mapping[str, Any]) -> None:
    """Print a JSON object on a line of its own."""
    print(json.dumps(line), file=sys.stderr, flush=True)


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
