"""From rows to the figures of a table: by stem, by fact, and as papers aggregate.

A mean is over rows, its interval over items: the stems of an item are resampled together. NaN
is left out and counted. An infinite figure is a figure: it makes the mean infinite, as a mean
that passed over failures would flatter, and leaves the median as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sepcli.evaluation.bins import bins
from sepcli.evaluation.results import Row
from sepcli.evaluation.statistics import Interval, bootstrap_ci

ALL_STEMS = "all"
CLASS = "class"  # the fact by which class means are taken; rows without it go by their stem


@dataclass(frozen=True)
class Aggregate:
    """What is told of one column of some rows.

    Attributes:
        valid: rows with a figure, infinite ones among them.
        total: rows.
        infinite: rows with an infinite figure.
        mean: of the valid rows; NaN if there are none.
        low: lower end of the mean's 95 % interval over items; NaN where there is none.
        high: upper end.
        median: of the valid rows.
    """

    valid: int
    total: int
    infinite: int
    mean: float
    low: float
    high: float
    median: float


def aggregate(rows: Sequence[Row], column: str) -> Aggregate:
    """One column of rows; a row without that column counts as NaN."""
    values = _values(rows, column)
    mean = bootstrap_ci(values, [row.item for row in rows])
    valid = values[~np.isnan(values)]
    return Aggregate(
        valid=valid.size,
        total=values.size,
        infinite=int(np.isinf(valid).sum()),
        mean=mean.point,
        low=mean.low,
        high=mean.high,
        median=_median(valid),
    )


def by_stem(rows: Sequence[Row], column: str) -> dict[str, Aggregate]:
    """Stem -> its aggregate, after `ALL_STEMS` -> that of all rows."""
    groups = _grouped(rows, lambda row: row.stem)
    return {ALL_STEMS: aggregate(rows, column)} | {
        stem: aggregate(members, column) for stem, members in groups.items()
    }


def by_fact(
    rows: Sequence[Row], columns: Iterable[str]
) -> dict[str, dict[str, dict[str, Aggregate]]]:
    """Fact -> group -> column -> aggregate, for each fact that makes a table (see `groups`)."""
    columns = tuple(columns)
    facts = dict.fromkeys(fact for row in rows for fact in row.facts)
    tables = {fact: groups(rows, fact) for fact in facts}
    return {
        fact: {
            name: {column: aggregate(members, column) for column in columns}
            for name, members in found.items()
        }
        for fact, found in tables.items()
        if found
    }


def groups(rows: Sequence[Row], fact: str) -> dict[str, list[Row]]:
    """Rows that share a fact, in order: of size for numbers, of the alphabet for words.

    Numbers with many values fall into bins. Rows without the fact are left out.
    A fact tells nothing as a table, and gives no groups, if all rows share it, or if it is as
    good as a name: fewer than two items to a group on average.
    """
    having = [row for row in rows if not _missing(row.facts.get(fact))]
    if all(isinstance(row.facts[fact], int | float) for row in having):
        names = bins(float(row.facts[fact]) for row in having)
        found = _grouped(having, lambda row: names[float(row.facts[fact])])
        found = {name: found[name] for name in dict.fromkeys(names.values())}
    else:
        found = dict(sorted(_grouped(having, lambda row: str(row.facts[fact])).items()))
    items = len({row.item for row in having})
    return found if 1 < len(found) <= items / 2 else {}


def over_items(rows: Sequence[Row], column: str) -> Interval:
    """Mean of all rows, with its interval over items."""
    return bootstrap_ci(_values(rows, column), [row.item for row in rows])


def median_over_items(rows: Sequence[Row], column: str) -> Interval:
    """Median of all rows, with its interval over items."""
    return bootstrap_ci(_values(rows, column), [row.item for row in rows], statistic="median")


def of_class_means(rows: Sequence[Row], column: str) -> Interval:
    """Mean over classes of their means (AudioSep on MUSIC), with its interval over classes."""
    return bootstrap_ci(_of_groups(rows, column, _class, _mean))


def of_class_medians(rows: Sequence[Row], column: str) -> Interval:
    """Mean over classes of their medians (AudioSep on AudioSet), interval over classes."""
    return bootstrap_ci(_of_groups(rows, column, _class, _median))


def over_songs(rows: Sequence[Row], column: str) -> Interval:
    """Mean over stems in each item, then over items (SDR_song of the MDX challenges)."""
    return bootstrap_ci(_of_groups(rows, column, lambda row: row.item, _mean))


AGGREGATIONS: dict[str, Callable[[Sequence[Row], str], Interval]] = {
    "mean over items": over_items,
    "median over items": median_over_items,
    "mean of class means": of_class_means,
    "mean of class medians": of_class_medians,
    "mean over stems, then items": over_songs,
}
"""How papers condense rows, by the name that a protocol gives it."""


def _class(row: Row) -> str:
    return str(row.facts.get(CLASS, row.stem))


def _of_groups(
    rows: Sequence[Row],
    column: str,
    key: Callable[[Row], str],
    statistic: Callable[[np.ndarray], float],
) -> list[float]:
    """One figure per group, of its valid rows; NaN for a group without any."""
    values = (_values(members, column) for members in _grouped(rows, key).values())
    return [statistic(each[~np.isnan(each)]) for each in values]


def _grouped(rows: Sequence[Row], key: Callable[[Row], str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def _values(rows: Sequence[Row], column: str) -> np.ndarray:
    return np.array([row.scores.get(column, math.nan) for row in rows], np.float64)


def _mean(values: np.ndarray) -> float:
    with np.errstate(invalid="ignore"):  # infinities of both signs
        return float(np.mean(values)) if values.size else math.nan


def _median(values: np.ndarray) -> float:
    with np.errstate(invalid="ignore"):
        return float(np.median(values)) if values.size else math.nan


def _missing(fact: object) -> bool:
    return fact is None or fact == "" or (isinstance(fact, float) and not math.isfinite(fact))
