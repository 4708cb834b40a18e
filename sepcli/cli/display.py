"""Four readers of the event stream: a rich display, plain lines, NDJSON, and nothing.

All write to standard error, since standard output may carry audio.
"""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from sepcli.cli.voice import Voice, display_class, print_event, printable
from sepcli.separation.events import (
    Detected,
    Done,
    Event,
    Failed,
    Finished,
    Notice,
    Planned,
    Progress,
    Seen,
    Skipped,
    Started,
    StemWritten,
)

if TYPE_CHECKING:
    from rich.progress import TaskID

PLAIN_SECONDS = 10.0  # between two lines about the same recording


class Display(Protocol):
    """A context that reads events."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def read(self, event: Event) -> None:
        """Take an event in."""
        ...


def display_for(kind: str, dry_run: bool) -> Display:
    """The display of a name; auto is rich on a terminal, plain elsewhere."""
    rich = PlainDisplay if dry_run else RichDisplay
    return display_class(kind, none=SilentDisplay, json=JsonDisplay, plain=PlainDisplay, rich=rich)(
        dry_run
    )


class SilentDisplay(Voice):
    """Shows failures only."""

    def __init__(self, dry_run: bool = False) -> None:
        self._dry_run = dry_run

    def read(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, Failed):
            self.say(f"error: {event.error}")
            self.say(f"help: {event.help}")


class PlainDisplay(SilentDisplay):
    """Lines for logs."""

    _last = 0.0

    def read(self, event: Event) -> None:
        """Take an event in."""
        super().read(event)
        if isinstance(event, Planned) and self._dry_run:
            self.say(f"would separate {event.files} recordings, {clock(event.seconds)}, into")
            for output in event.outputs:
                self.say(f"  {output}")
        elif isinstance(event, Progress) and time.monotonic() - self._last > PLAIN_SECONDS:
            self._last = time.monotonic()
            self.say(f"{event.path}: {clock(event.seconds)}")
        elif line := self.line(event):
            self.say(line)

    def line(self, event: Event) -> str:
        """What an event says, if it is worth a line."""
        match event:
            case Started():
                self._last = time.monotonic()
                return f"{event.path}: {clock(event.seconds)}"
            case StemWritten():
                return f"  wrote {event.output}{heard(event)}"
            case Detected():
                return detected(event)
            case Seen():
                others = f" (else {', '.join(event.others)})" if event.others else ""
                chance = f"{event.probability:.0%}"
                return f"  {event.query}: asking for {event.label!r}, {chance} sure{others}"
            case Notice():
                return f"warning: {event.path}: {event.message}"
            case Skipped():
                return f"{event.path}: done before, skipped"
            case Finished():
                gain = f", all stems x {event.gain:.3f} to avoid clipping" if event.gain < 1 else ""
                return f"  {event.took:.1f} s, {speed(event)}{gain}"
            case Done():
                return (
                    f"{event.finished} done, {event.skipped} skipped, {event.failed} failed, "
                    f"{event.took:.1f} s"
                )
        return ""


class JsonDisplay(SilentDisplay):
    """One JSON object a line, for programs."""

    def read(self, event: Event) -> None:
        """Take an event in."""
        print_event(event)


class RichDisplay(PlainDisplay):
    """Bars for people: one for each recording at work, with what is left and times real time."""

    def __init__(self, dry_run: bool = False) -> None:
        super().__init__(dry_run)
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._console = Console(stderr=True)
        self._progress = RichProgress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._bars: dict[str, tuple[TaskID, float]] = {}  # of recordings; and when they began

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self._console.print(printable(text), markup=False, highlight=False)

    def read(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, Started):
            name = Path(event.path).name
            bar = self._progress.add_task(name, total=event.seconds or None, speed="")
            self._bars[event.path] = bar, time.monotonic()
        elif isinstance(event, Progress) and event.path in self._bars:
            bar, began = self._bars[event.path]
            rate = event.seconds / max(time.monotonic() - began, 1e-3)
            speed_text = f"{rate:.1f}x real time"
            self._progress.update(bar, completed=event.seconds, speed=speed_text)
        elif isinstance(event, (Finished, Failed, Skipped)) and event.path in self._bars:
            self._progress.remove_task(self._bars.pop(event.path)[0])
        if not isinstance(event, (Started, Progress)):
            super().read(event)


def heard(event: StemWritten) -> str:
    """What is known of a stem, in brackets."""
    facts = []
    if event.presence is not None:
        facts.append(f"presence {event.presence:.2f}")
    facts.append("silent" if event.level_db is None else f"{event.level_db:+.1f} dB")
    return f" ({', '.join(facts)})"


def detected(event: Detected) -> str:
    """What was found in a recording."""
    if not event.sounds:
        return f"warning: {event.path}: no sound was recognised; name one with --query"
    sounds = ", ".join(f"{label} ({score:.2f})" for label, score in event.sounds)
    return f"{event.path}: taking out {sounds}"


def clock(seconds: float) -> str:
    """Seconds as people write them."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def speed(event: Finished) -> str:
    """Times real time."""
    return f"{event.seconds / max(event.took, 1e-3):.1f}x real time"
