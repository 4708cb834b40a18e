"""The report as one page that loads nothing: style, script, sounds and pictures are inside.

A content security policy allows exactly our own style sheet and script, by their hashes. Were
a name from a file ever to get past the escaping of the template, it still could not run.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sepcli.evaluation.aggregate import ALL_STEMS
from sepcli.evaluation.report import plots, tables, wording
from sepcli.evaluation.report.explorer import explorer
from sepcli.evaluation.report.listening import SECONDS, Excerpt
from sepcli.evaluation.report.tables import Cell
from sepcli.evaluation.report.wording import Summary, plain, unit_of
from sepcli.evaluation.results import SYSTEM, Row

MOST_FACETS = 12  # histograms of single stems


def page(summary: Summary, rows: Sequence[Row], excerpts: Sequence[Excerpt] = ()) -> str:
    """The page report.html.

    Args:
        summary: of the run.
        rows: of the run, reference rows included.
        excerpts: what can be listened to.
    """
    style, script = _inside("report.css"), _inside("report.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            policy=_policy(style, script),
            style=Markup(style),
            script=Markup(script),
            summary=summary,
            title=wording.title(summary),
            headline=_headline(summary),
            command=plain(summary["command"]),
            tables=_tables(summary, rows),
            histograms=_histograms(summary, rows),
            intervals=_intervals(summary, rows),
            scatter=_against_mixture(summary, rows),
            explorer=explorer(summary, rows),
            roc=plots.roc((summary.get("query") or {}).get("roc") or ()),
            query=summary.get("query"),
            excerpts=excerpts,
            seconds=SECONDS,
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("sepcli.evaluation.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "plain": plain,
        "data_uri": data_uri,
        "sort_key": sort_key,
        "number": wording.number,
        "with_unit": wording.with_unit,
        "missing": wording.missing,
    }
    environment.globals |= {"plots": plots}
    return environment


def _inside(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            "img-src data:",
            "media-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def data_uri(content: bytes, kind: str) -> str:
    """Content as an address of itself."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def sort_key(cell: Cell) -> str:
    """What the page's script sorts by: a number as JavaScript reads it, or words."""
    if isinstance(cell.value, str):
        return cell.value
    if math.isnan(cell.value):
        return ""
    return repr(cell.value).replace("inf", "Infinity")


def _headline(summary: Summary) -> dict[str, Any]:
    head = summary["headline"]
    unit = unit_of(summary, head["column"])
    everything = summary["stems"].get(head["column"], {}).get(ALL_STEMS)
    return {
        "column": plain(head["column"]),
        "figure": wording.with_unit(head["value"], unit).partition(" "),
        "how": plain(head["how"]),
        "cell": tables.summarised(everything, unit),
        "counted": everything,
    }


def _tables(summary: Summary, rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "results": tables.summary_table(summary),
        "aggregations": tables.aggregation_table(summary),
        "references": tables.reference_table(summary),
        "groups": tables.group_tables(summary),
        "query": tables.query_tables(summary),
        "flags": tables.flag_table(summary),
        "failures": tables.failure_table(summary),
        "items": tables.item_table(summary, rows),
    }


def _histograms(summary: Summary, rows: Sequence[Row]) -> list[plots.Histogram]:
    """Of the primary column: all stems, then each, where there are several but not many."""
    column = summary["protocol"]["primary"]
    figures: dict[str, list[float]] = {ALL_STEMS: []}
    for row in rows:
        if row.system == SYSTEM and column in row.scores:
            figures[ALL_STEMS].append(row.scores[column])
            figures.setdefault(row.stem, []).append(row.scores[column])
    if not 3 <= len(figures) <= MOST_FACETS + 1:
        figures = {ALL_STEMS: figures[ALL_STEMS]}
    label = wording.column_head(summary, column)
    aggregates = summary["stems"].get(column, {})
    drawn = [
        plots.histogram(_stem(stem), label, values, aggregates.get(stem, _UNKNOWN))
        for stem, values in figures.items()
    ]
    return [each for each in drawn if each is not None]


_UNKNOWN: Mapping[str, None] = {"mean": None, "low": None, "high": None}


def _stem(name: str) -> str:
    return "all stems" if name == ALL_STEMS else name


def _intervals(summary: Summary, rows: Sequence[Row]) -> list[plots.Intervals]:
    """Means of the primary column by stem and by each fact; numbers keep their order."""
    column = summary["protocol"]["primary"]
    label, unit = wording.column_head(summary, column), unit_of(summary, column)
    stems = {k: v for k, v in summary["stems"].get(column, {}).items() if k != ALL_STEMS}
    kinds = {"stem": stems}
    for fact, groups in summary["groups"].items():
        found = {name: each[column] for name, each in groups.items() if column in each}
        if found != stems:  # where stems are classes, one plot is enough
            kinds[fact] = found
    words = {fact for row in rows for fact, value in row.facts.items() if isinstance(value, str)}
    drawn = [
        plots.intervals(f"By {fact}", label, unit, kind, by_mean=fact in {"stem", *words})
        for fact, kind in kinds.items()
    ]
    return [each for each in drawn if each is not None]


def _against_mixture(summary: Summary, rows: Sequence[Row]) -> plots.Scatter | None:
    """The mixture's figure against the estimate's, of the first column that both have.

    Improvements are left out: a mixture's improvement over itself is nothing.
    """
    pairs: dict[str, list[tuple[str, float, float]]] = {}
    before = {(row.item, row.stem): row.scores for row in rows if row.system == "mixture"}
    for row in rows:
        if row.system != SYSTEM:
            continue
        known = before.get((row.item, row.stem), {})
        for column in row.scores.keys() & known.keys():
            name = f"{row.item}, {row.stem}"
            pairs.setdefault(column, []).append((name, known[column], row.scores[column]))
    for column in summary["columns"]:
        if any(mixture != 0 and math.isfinite(mixture) for _, mixture, _ in pairs.get(column, ())):
            head = wording.column_head(summary, column)
            labels = (f"mixture's {head}", f"estimate's {head}")
            return plots.scatter("Before and after", labels, pairs[column], same_scale=True)
    return None
