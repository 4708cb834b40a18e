"""What `sepcli models pull` and `verify` show."""

from __future__ import annotations

import time

from sepcli.cli.voice import BarVoice, Voice, display_class, print_event, printable
from sepcli.registry.pull_events import (
    Converted,
    Event,
    Failed,
    Fetched,
    Notice,
    Planned,
    Progress,
    Ready,
    Started,
)
from sepcli.registry.verify import Verified

PLAIN_SECONDS = 10.0  # between two lines about the same file


def display_for(kind: str) -> SilentDisplay:
    """The display of a name; auto is rich on a terminal, plain elsewhere."""
    return display_class(
        kind, none=SilentDisplay, json=JsonDisplay, plain=PlainDisplay, rich=RichDisplay
    )()


class SilentDisplay(Voice):
    """Shows failures only."""

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
        if isinstance(event, Started):
            self._last = time.monotonic()
        if isinstance(event, Progress) and time.monotonic() - self._last < PLAIN_SECONDS:
            return
        if line := self.line(event):
            self._last = time.monotonic()
            self.say(line)

    def line(self, event: Event) -> str:
        """What an event says, if it is worth a line."""
        match event:
            case Planned():
                return (
                    f"{event.model}: weights {event.weights}, code {event.code}; "
                    f"{amount(event.size, event.unknown)} to download"
                )
            case Started():
                return f"  {event.file} from {event.source}"
            case Progress():
                whole = f" of {megabytes(event.size)}" if event.size else ""
                return f"  {event.file}: {megabytes(event.received)}{whole}"
            case Notice():
                return f"note: {event.message}"
            case Fetched():
                speed = event.size / 1e6 / max(event.took, 1e-3)
                return f"  {event.file}: {megabytes(event.size)}, checked, {speed:.1f} MB/s"
            case Converted():
                sizes = f"{megabytes(event.before)} -> {megabytes(event.after)}"
                return f"  converted to {event.file}: {sizes}"
        return ""


class JsonDisplay(SilentDisplay):
    """One JSON object a line, for programs."""

    def read(self, event: Event) -> None:
        """Take an event in."""
        print_event(event)


class RichDisplay(BarVoice, PlainDisplay):
    """A bar for people: how much of a file is here, how fast it comes, how long it takes."""

    def __init__(self) -> None:
        from rich.progress import DownloadColumn, TimeRemainingColumn, TransferSpeedColumn

        super().__init__(DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())

    def read(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, Progress):
            self.move(event.received, event.size)
            return
        if isinstance(event, Started):
            self.show(event.file)
        elif isinstance(event, Fetched | Failed):
            self.hide()
        super().read(event)


def outcome(event: Ready | Failed) -> str:
    """What became of a model, in a word or two."""
    if isinstance(event, Failed):
        return "failed"
    return "downloaded" if event.fetched else "here already"


def verified_line(row: Verified) -> str:
    """What was found out about a file: in a line, or two with the remedy."""
    size = "-" if row.size is None else str(row.size)
    line = f"{row.status:15} {row.model:20} {row.role:10} {size:>12} {row.path}"
    return printable(line) + (f"\n  error: {row.error}\n  help: {row.help}" if row.bad else "")


def amount(size: int, unknown: int) -> str:
    """Bytes of some files, and that there are more whose size is not known."""
    if not unknown:
        return megabytes(size)
    files = "a file" if unknown == 1 else f"{unknown} files"
    known = f"{megabytes(size)} and " if size else ""
    return f"{known}{files} of unknown size"


def megabytes(size: int) -> str:
    """Bytes as people write them."""
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
