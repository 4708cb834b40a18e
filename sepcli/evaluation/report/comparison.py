"""A comparison of two systems as a table, for whatever draws tables."""

from __future__ import annotations

import math

from sepcli.evaluation.aggregate import ALL_STEMS
from sepcli.evaluation.compare import Comparison, Difference
from sepcli.evaluation.metrics import catalogue
from sepcli.evaluation.report.markdown import escape, markdown
from sepcli.evaluation.report.tables import Cell, Table, label
from sepcli.evaluation.report.wording import number, plain
from sepcli.evaluation.statistics import Interval

HEAD = (
    "column",
    "stem",
    "pairs",
    "difference [95 %]",
    "p sign-flip",
    "p Wilcoxon",
    "wins",
    "Cohen's d",
    "rank-biserial",
)
LEVEL = 0.05  # corrected p below which a difference is in bold
NOTE = (
    "p corrected by Holm's method for all rows of the table, uncorrected below; bold: corrected p "
    "of the sign-flip test below 0.05. Intervals are over items, not corrected."
)


def comparison_table(comparison: Comparison) -> Table:
    """One row per difference, the first system minus the second."""
    title = plain(f"{comparison.first} minus {comparison.second}")
    rows = tuple(_cells(each) for each in comparison.differences)
    left = {comparison.first: comparison.only_first, comparison.second: comparison.only_second}
    alone = [f"{count} rows only in {plain(name)}." for name, count in left.items() if count]
    return Table(title, HEAD, rows, " ".join([NOTE, *alone]))


def comparison_markdown(comparison: Comparison) -> str:
    """The table as Markdown, under the notices that restrict what it means."""
    notices = [f"> **{escape(notice)}**\n" for notice in comparison.notices]
    return "\n".join([*notices, markdown(comparison_table(comparison))])


def _cells(each: Difference) -> tuple[Cell, ...]:
    unit = _unit(each.column)
    strong = each.sign_flip_holm < LEVEL
    dropped = f"{each.dropped} undefined" if each.dropped else ""
    return (
        label(f"{each.column} ({unit})" if unit else each.column),
        label("all stems" if each.stem == ALL_STEMS else each.stem),
        Cell(str(each.pairs), float(each.pairs), dropped),
        Cell(_interval(each.mean, unit), each.mean.point, strong=strong),
        Cell(_p(each.sign_flip_holm), each.sign_flip_holm, _p(each.sign_flip)),
        Cell(_p(each.wilcoxon_holm), each.wilcoxon_holm, _p(each.wilcoxon)),
        Cell(_percent(each.win_rate), each.win_rate),
        Cell(number(each.cohens_d, sign=True), each.cohens_d),
        Cell(number(each.rank_biserial, sign=True), each.rank_biserial),
    )


def _unit(column: str) -> str:
    metric = catalogue.columns().get(column)
    return catalogue.METRICS[metric].columns[column] if metric else ""


def _interval(interval: Interval, unit: str) -> str:
    point, low, high = (
        number(value, unit, sign=True) for value in (interval.point, interval.low, interval.high)
    )
    return point if math.isnan(interval.low) else f"{point} [{low}, {high}]"


def _p(value: float) -> str:
    if math.isnan(value):
        return "n/a"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _percent(share: float) -> str:
    return "n/a" if math.isnan(share) else f"{share:.0%}"
