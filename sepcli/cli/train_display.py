"""What `sepcli train` shows while it runs, on standard error."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich.progress import MofNCompleteColumn, TextColumn, TimeRemainingColumn

from sepcli.cli.display import clock
from sepcli.cli.voice import BarVoice, Voice, display_class, print_event
from sepcli.training.loop.events import (
    Event,
    Finished,
    Noted,
    Saved,
    Skipped,
    Started,
    Stepped,
    Validated,
)

PLAIN_SECONDS = 10.0  # between two lines about steps
BRIEF = 3  # figures of a validation beside a bar


def display_for(kind: str) -> SilentDisplay:
    """The display of a name; auto is rich on a terminal, plain elsewhere."""
    return display_class(
        kind, none=SilentDisplay, json=JsonDisplay, plain=PlainDisplay, rich=RichDisplay
    )()


class SilentDisplay(Voice):
    """Shows nothing; what stops a training is told by the command."""

    def read(self, event: Event) -> None:
        """Take an event in."""


class JsonDisplay(SilentDisplay):
    """One JSON object a line, for programs."""

    def read(self, event: Event) -> None:
        """Take an event in."""
        print_event(event)


class PlainDisplay(SilentDisplay):
    """Lines for logs: every validation, and a step now and then."""

    def __init__(self) -> None:
        self._began = self._last = time.monotonic()
        self._first = 0

    def read(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, Started):
            self._began = self._last = time.monotonic()
            self._first = event.step
        if isinstance(event, Stepped):
            self._read_step(event)
        elif line := line_of(event):
            self.say(line)

    def _read_step(self, event: Stepped) -> None:
        now = time.monotonic()
        if now - self._last >= PLAIN_SECONDS or event.step == event.steps:
            self._last = now
            left = (now - self._began) / (event.step - self._first) * (event.steps - event.step)
            passed = f"{clock(now - self._began)}<{clock(left)}"
            self.say(f"{event.step}/{event.steps} [{passed}] {facts(event, event.figures)}")


class RichDisplay(BarVoice, SilentDisplay):
    """A bar for people: the loss, the speed, the last validation, and what is left."""

    def __init__(self) -> None:
        columns = (MofNCompleteColumn(), TextColumn("{task.fields[facts]}", markup=False))
        BarVoice.__init__(self, *columns, TimeRemainingColumn())
        self._validation = ""

    def show(self, title: str) -> None:
        """Begin a bar whose length is not known yet."""
        self.hide()
        self._bar = self.bars.add_task(title, total=None, facts="")

    def read(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, Started):
            self._validation = ""
            self.show(event.title)
            self.move(event.step, event.steps)
        if isinstance(event, Stepped):
            self._read_step(event)
        elif line := line_of(event):
            self.say(line)
        if isinstance(event, Validated):
            best = dict(list(event.figures.items())[:BRIEF])
            self._validation = "validation " + shown(best)

    def _read_step(self, event: Stepped) -> None:
        if self._bar is not None:
            loss = {k: v for k, v in event.figures.items() if k == "loss"}
            self.bars.update(self._bar, facts=facts(event, loss, self._validation))
        self.move(event.step, event.steps)


def line_of(event: Event) -> str:
    """What an event other than a step says, if it is worth a line."""
    match event:
        case Started():
            return start(event)
        case Validated():
            return f"step {event.step}: {shown(event.figures)}{', the best so far' * event.best}"
        case Skipped():
            return f"step {event.step}: skipped, loss or gradient not finite ({event.in_a_row})"
        case Noted():
            return f"note: {event.text}"
        case Finished(reason="patience"):
            return f"step {event.step}: no better than step {event.best_step} for long, ended"
        case Finished() | Saved() | Stepped():
            return ""


def start(event: Started) -> str:
    """What is about to be trained, on what."""
    processes = f", {event.processes} processes" if event.processes > 1 else ""
    text = f"{event.title}: {event.parameters:,} parameters on {event.device}{processes}"
    if event.step:
        text += f", going on after step {event.step} of {event.steps}"
    if event.changed:
        text += f"; changed since: {', '.join(event.changed)}"
    return text


def facts(event: Stepped, figures: Mapping[str, float], more: str = "") -> str:
    """Figures of a step, its speed if that was measured, and more."""
    speed = pace(event) if event.samples_per_second else ""
    return ", ".join(text for text in (shown(figures), speed, more) if text)


def shown(figures: Mapping[str, float]) -> str:
    """Names with values of four digits."""
    return ", ".join(f"{name} {value:.4g}" for name, value in figures.items())


def pace(event: Stepped) -> str:
    """How fast it goes, and what holds it up."""
    return f"{event.samples_per_second:.3g} samples/s, {event.wait_share:.0%} waiting for data"
