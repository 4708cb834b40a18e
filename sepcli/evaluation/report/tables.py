"""What the tables of a report hold; the formats differ only in how they draw them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sepcli.evaluation.aggregate import ALL_STEMS
from sepcli.evaluation.report.wording import (
    Summary,
    column_head,
    detail,
    mean,
    missing,
    number,
    plain,
    unit_of,
    with_unit,
)
from sepcli.evaluation.results import SYSTEM, Row, decode_score

MOST_ITEMS = 500  # rows of the items' table; rows.csv has all of them


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: what it says.
        value: what sorting goes by; NaN comes last.
        detail: a smaller second line.
        strong: in bold.
    """

    text: str
    value: float | str
    detail: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells, as many in each as there are heads."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


def label(text: object, strong: bool = False) -> Cell:
    """A cell of words; of a number, if that is what the words are."""
    words = plain(text)
    try:
        value: float | str = float(words)
    except ValueError:
        value = words
    return Cell(words, value, strong=strong)


def summarised(aggregate: Mapping[str, Any] | None, unit: str, strong: bool = False) -> Cell:
    """A cell of mean, interval and median; None where nothing was measured."""
    if aggregate is None:
        return Cell("n/a (not measured)", math.nan)
    value = decode_score(aggregate["mean"])
    return Cell(mean(aggregate, unit), value, detail(aggregate, unit), strong)


def summary_table(summary: Summary, columns: Sequence[str] | None = None) -> Table:
    """Every column of every stem, the longer of the two going down; the headline in bold.

    Args:
        summary: of the run.
        columns: that are shown; None for all.
    """
    stems = summary["stems"]
    columns = list(summary["columns"] if columns is None else columns)
    names = list(dict.fromkeys(stem for column in stems.values() for stem in column))

    def cell(stem: str, column: str) -> Cell:
        strong = (stem, column) == (ALL_STEMS, summary["headline"]["column"])
        return summarised(stems.get(column, {}).get(stem), unit_of(summary, column), strong)

    heads = {column: column_head(summary, column) for column in columns}
    labels = {name: "all stems" if name == ALL_STEMS else name for name in names}
    if len(columns) >= len(names):
        return _grid("Results", "", heads, labels, lambda column, stem: cell(stem, column))
    return _grid("Results", "stem", labels, heads, cell)


def aggregation_table(summary: Summary) -> Table:
    """The ways in which papers condense the same figures, side by side."""
    ways = list(dict.fromkeys(way for each in summary["aggregations"].values() for way in each))

    def cell(column: str, way: str) -> Cell:
        value = decode_score(summary["aggregations"][column].get(way))
        text = "n/a (undefined)" if math.isnan(value) else number(value, unit_of(summary, column))
        head = summary["headline"]
        return Cell(text, value, strong=(column, way) == (head["column"], _way(head["how"], ways)))

    heads = {column: column_head(summary, column) for column in summary["aggregations"]}
    return _grid("Ways to aggregate", "", heads, {way: way for way in ways}, cell)


def _way(how: str, ways: Sequence[str]) -> str | None:
    """The longest name of an aggregate with which the headline's description begins."""
    return max((way for way in ways if how.startswith(way)), key=len, default=None)


def reference_table(summary: Summary, columns: Sequence[str] | None = None) -> Table:
    """Systems that need no skill, or that know the answer, on the same data.

    Args:
        summary: of the run.
        columns: that are shown; None for all that these systems have.
    """
    others = summary["reference_systems"]
    shown = summary["columns"] if columns is None else columns
    columns = [c for c in shown if any(c in each for each in others.values())]
    ours = plain(summary["system"]["name"])

    def cell(system: str, column: str) -> Cell:
        if system == SYSTEM:
            aggregate = summary["stems"].get(column, {}).get(ALL_STEMS)
            return summarised(aggregate, unit_of(summary, column), strong=True)
        return summarised(others[system].get(column), unit_of(summary, column))

    systems = {SYSTEM: f"{ours} (evaluated)"} | {name: name for name in others} if others else {}
    heads = {column: column_head(summary, column) for column in columns}
    return _grid("Reference rows", "system", systems, heads, cell)


def group_tables(summary: Summary) -> list[Table]:
    """One table for each fact by which items fall into groups, and one for all as a set."""
    by_fact = [_group_table(summary, fact, groups) for fact, groups in summary["groups"].items()]
    return [*by_fact, *(_set_table(name, each) for name, each in summary["set"].items())]


def _set_table(metric: str, figures: Mapping[str, Any]) -> Table:
    rows = [
        (label(name), Cell(number(value), decode_score(value))) for name, value in figures.items()
    ]
    return Table(f"{plain(metric)} of the whole set", ("", "value"), tuple(rows))


def _group_table(summary: Summary, fact: str, groups: Mapping[str, Any]) -> Table:
    columns = [c for c in summary["columns"] if any(c in each for each in groups.values())]

    def cell(group: str, column: str) -> Cell:
        return summarised(groups[group].get(column), unit_of(summary, column))

    heads = {column: column_head(summary, column) for column in columns}
    return _grid(f"By {plain(fact)}", plain(fact), {name: name for name in groups}, heads, cell)


def _grid(
    title: str,
    corner: str,
    down: Mapping[str, str],
    across: Mapping[str, str],
    cell: Callable[[str, str], Cell],
) -> Table:
    rows = [(label(text), *(cell(key, other) for other in across)) for key, text in down.items()]
    return Table(title, (corner, *(plain(text) for text in across.values())), tuple(rows))


def query_tables(summary: Summary) -> list[Table]:
    """What a model that is asked in words does when the words are absent, new, or related."""
    query = summary.get("query") or {}
    tables = []
    single = {"presence_auc": ("area under the ROC curve", ""), "absent_db": ("absent query", "dB")}
    rows = [
        (label(words), summarised(query[key], unit))
        for key, (words, unit) in single.items()
        if query.get(key)
    ]
    if rows:
        tables.append(Table("Presence", ("", "mean"), tuple(rows)))
    if query.get("paraphrase_loss"):
        tables.append(_paraphrase_table(summary, query["paraphrase_loss"]))
    if query.get("confusion"):
        tables.append(_confusion_table(query["confusion"]))
    return tables


def _paraphrase_table(summary: Summary, losses: Mapping[str, Any]) -> Table:
    rows = [
        (label(column), summarised(loss, unit_of(summary, column)))
        for column, loss in losses.items()
    ]
    return Table("Lost by other wordings", ("", "loss"), tuple(rows))


def _confusion_table(pairs: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        (
            label(pair["asked"]),
            label(pair["heard"]),
            Cell(with_unit(pair["db"], "dB"), decode_score(pair["db"])),
        )
        for pair in pairs
    ]
    return Table("Confusion", ("asked for", "heard", "level"), tuple(rows))


def flag_table(summary: Summary) -> Table:
    """What made figures undefined, and how often."""
    rows = [(label(flag), Cell(str(n), float(n))) for flag, n in summary["flags"].items()]
    return Table("Flags", ("flag", "rows"), tuple(rows))


def failure_table(summary: Summary) -> Table:
    """Items that could not be scored."""
    rows = [
        tuple(label(failure[key]) for key in ("item", "error", "help"))
        for failure in summary["failures"]
    ]
    return Table("Failures", ("item", "what happened", "what to do"), tuple(rows))


def item_table(summary: Summary, rows: Sequence[Row]) -> Table:
    """The evaluated system's rows, lowest primary figure first, at most `MOST_ITEMS`."""
    primary = summary["protocol"]["primary"]
    mine = [row for row in rows if row.system == SYSTEM]
    mine.sort(key=lambda row: (*_nan_last(row.scores.get(primary, math.nan)), row.item, row.stem))
    note = ""
    if len(mine) > MOST_ITEMS:
        note = f"The {MOST_ITEMS} lowest of {len(mine)} rows; rows.csv has all."
    head = ("item", "stem", *(column_head(summary, column) for column in summary["columns"]))
    cells = tuple(_item_cells(summary, row) for row in mine[:MOST_ITEMS])
    return Table("Items", head, cells, note)


def _nan_last(value: float) -> tuple[bool, float]:
    return (True, 0.0) if math.isnan(value) else (False, value)


def _item_cells(summary: Summary, row: Row) -> tuple[Cell, ...]:
    def cell(column: str) -> Cell:
        value = row.scores.get(column, math.nan)
        if math.isnan(value):
            return Cell(missing(row.flags), value)
        return Cell(number(value, unit_of(summary, column)), value)

    return (label(row.item), label(row.stem), *(cell(column) for column in summary["columns"]))
