"""Any two figures of the rows against each other, chosen on the page.

All scales are worked out here; the page's script only moves dots.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sepcli.evaluation.report.plots import axis_of, thinned
from sepcli.evaluation.report.wording import Summary, column_head, plain
from sepcli.evaluation.results import SYSTEM, Row


@dataclass(frozen=True)
class Explorer:
    """Dots and the figures by which they may be placed.

    Attributes:
        names: of the dots.
        variables: of each figure its name, its ticks as [place, text], and the dots' places
            (0 to 1, None where undefined).
        first: indices of the variables shown first, across and up.
    """

    names: tuple[str, ...]
    variables: tuple[Mapping[str, Any], ...]
    first: tuple[int, int]


def explorer(summary: Summary, rows: Sequence[Row]) -> Explorer | None:
    """All columns, the mixture's figures and numeric facts; None if there are fewer than two."""
    mine = thinned([row for row in rows if row.system == SYSTEM])
    mixture = {(row.item, row.stem): row.scores for row in rows if row.system == "mixture"}
    figures: dict[str, list[float]] = {}
    for column in summary["columns"]:
        head = column_head(summary, column)
        figures[head] = [row.scores.get(column, math.nan) for row in mine]
        unprocessed = [mixture.get((row.item, row.stem), {}) for row in mine]
        figures[f"mixture's {head}"] = [each.get(column, math.nan) for each in unprocessed]
    for fact in dict.fromkeys(fact for row in mine for fact in row.facts):
        figures[f"fact: {plain(fact)}"] = [_numeric(row.facts.get(fact)) for row in mine]
    found = [_variable(name, values) for name, values in figures.items()]
    variables = tuple(variable for variable in found if variable is not None)
    if len(variables) < 2:
        return None
    names = tuple(plain(f"{row.item}, {row.stem}") for row in mine)
    return Explorer(names, variables, _first(summary, variables))


def _first(summary: Summary, variables: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """The primary column goes up (if it has figures), and the first other one across."""
    heads = [variable["name"] for variable in variables]
    primary = column_head(summary, summary["protocol"]["primary"])
    up = heads.index(primary) if primary in heads else 0
    return int(up == 0), up


def _numeric(fact: object) -> float:
    return float(fact) if isinstance(fact, int | float) else math.nan


def _variable(name: str, values: Sequence[float]) -> dict[str, Any] | None:
    finite = [value for value in values if math.isfinite(value)]
    if len(set(finite)) < 2:  # a line, not a scatter
        return None
    axis = axis_of(finite, name)
    places = [round(axis.place(v), 4) if math.isfinite(v) else None for v in values]
    return {"name": name, "ticks": [[t.at, t.text] for t in axis.ticks], "places": places}
