"""What `sepcli eval` shows: progress on standard error, results on standard output."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.progress import MofNCompleteColumn, TimeRemainingColumn

from sepcli.cli.voice import BarVoice, Voice, display_class, print_event, print_json
from sepcli.evaluation.batch import Begun, Event, Unscored
from sepcli.evaluation.check import Finding
from sepcli.evaluation.compare import Comparison
from sepcli.evaluation.outcome import Outcome
from sepcli.evaluation.report.comparison import comparison_table
from sepcli.evaluation.report.tables import (
    group_tables,
    query_tables,
    reference_table,
    summary_table,
)
from sepcli.evaluation.report.terminal import terminal_table
from sepcli.evaluation.report.wording import number, plain, with_unit
from sepcli.evaluation.results import encode

PLAIN_SECONDS = 10.0  # between two lines
NAME_WIDTH, COLUMN_WIDTH = 16, 21  # characters of a table on the terminal
IMPROVED = "sdri"  # how columns end that are relative to the mixture


def display_for(kind: str) -> SilentDisplay:
    """The display of a name; auto is rich on a terminal, plain elsewhere."""
    return display_class(
        kind, none=SilentDisplay, json=JsonDisplay, plain=PlainDisplay, rich=RichDisplay
    )()


class SilentDisplay(Voice):
    """Shows failures only."""

    def note(self, text: str) -> None:
        """What is worth knowing, but no failure."""

    def read(self, event: Event) -> None:
        """Take an event in."""
        if isinstance(event, Unscored):
            self.say(f"error: {event.error}")
            self.say(f"help: {event.help}")


class PlainDisplay(SilentDisplay):
    """Lines for logs."""

    def __init__(self) -> None:
        self._items = self._done = 0
        self._last = time.monotonic()

    def note(self, text: str) -> None:
        """What is worth knowing, but no failure."""
        self.say(text)

    def read(self, event: Event) -> None:
        """Take an event in."""
        super().read(event)
        if isinstance(event, Begun):
            self._items, self._done = event.items, event.resumed
            kept = f", {event.resumed} of them scored before" if event.resumed else ""
            self.note(f"{event.items} items{kept}")
        else:
            self._done += 1
            if time.monotonic() - self._last > PLAIN_SECONDS:
                self._last = time.monotonic()
                self.note(f"{self._done} of {self._items} items")


class JsonDisplay(SilentDisplay):
    """One JSON object a line, for programs."""

    def note(self, text: str) -> None:
        """What is worth knowing, but no failure."""
        print_json({"event": "Note", "text": text})

    def read(self, event: Event) -> None:
        """Take an event in."""
        print_event(event)


class RichDisplay(BarVoice, PlainDisplay):
    """A bar for people, with what is left."""

    def __init__(self) -> None:
        PlainDisplay.__init__(self)
        BarVoice.__init__(self, MofNCompleteColumn(), TimeRemainingColumn())
        self.show("scoring")

    def read(self, event: Event) -> None:
        """Take an event in."""
        SilentDisplay.read(self, event)
        if isinstance(event, Begun):
            self._items, self._done = event.items, event.resumed
        else:
            self._done += 1
        self.move(self._done, self._items)


def show(outcome: Outcome, as_json: bool) -> None:
    """Print a run's tables, or its summary as JSON, and what was not good enough."""
    summary = outcome.summary
    if as_json:
        print(json.dumps(summary, indent=1, ensure_ascii=False))
    else:
        console = Console()
        shown = fitting(summary, console.width)
        tables = [summary_table(summary, shown), *group_tables(summary), *query_tables(summary)]
        if summary["reference_systems"]:
            tables.append(reference_table(summary, [summary["headline"]["column"]]))
        for table in tables:
            console.print(terminal_table(table))
        console.print(headline(summary), markup=False, highlight=False)
        console.print(str(outcome.paths[-1]), markup=False, highlight=False)
    for missed in outcome.missed:
        print(f"missed: {missed}", file=sys.stderr)


def fitting(summary: Mapping[str, Any], width: int) -> list[str]:
    """As many columns as fit a terminal: the headline's first, then others of its kind."""
    first = summary["headline"]["column"]
    improvement = first.endswith(IMPROVED)
    ranked = sorted(
        summary["columns"], key=lambda c: (c != first, c.endswith(IMPROVED) != improvement)
    )
    return ranked[: max(1, (width - NAME_WIDTH) // COLUMN_WIDTH)]


def headline(summary: Mapping[str, Any]) -> str:
    """The run in one line: figure, interval, protocol, data set."""
    head, protocol = summary["headline"], summary["protocol"]
    unit = summary["columns"][head["column"]]["unit"]
    low, high = (number(head[end], unit) for end in ("low", "high"))
    return (
        f"{plain(summary['system']['name'])}: {head['column']} {with_unit(head['value'], unit)} "
        f"[{low}, {high}], {head['how']}; {protocol['id']} {protocol['digest']}, "
        f"{summary['dataset']['complete']}"
    )


def show_list(rows: Sequence[Mapping[str, str]], as_json: bool) -> None:
    """Print a catalogue: every entry's name with what is known of it below, or JSON."""
    if as_json:
        print(json.dumps(list(rows), indent=1, ensure_ascii=False))
        return
    for row in rows:
        name, *others = row.items()
        print(name[1])
        for key, value in others:
            if value:
                print(f"    {key}: {value}")


def show_comparison(comparison: Comparison, as_json: bool) -> None:
    """Print how two runs differ."""
    if as_json:
        print(json.dumps(encode(asdict(comparison)), indent=1, ensure_ascii=False))
        return
    for notice in comparison.notices:
        print(f"note: {plain(notice)}", file=sys.stderr)
    Console().print(terminal_table(comparison_table(comparison)))


def show_findings(findings: Sequence[Finding], as_json: bool) -> None:
    """Print what is wrong with estimates, and what to do about it."""
    if as_json:
        print(json.dumps([encode(asdict(found)) for found in findings], indent=1))
        return
    for found in findings:
        where = "/".join(part for part in (found.item, found.stem) if part)
        print(plain(f"{found.severity}: {where}: {found.message}"))
        print(plain(f"  help: {found.remedy}"))
    errors = sum(found.severity == "error" for found in findings)
    print(f"{errors} errors, {len(findings) - errors} warnings")
