"""All rows as one flat CSV file, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence

from sepcli.evaluation.report.wording import plain
from sepcli.evaluation.results import Row

FORMULA = ("=", "+", "-", "@")  # a spreadsheet would calculate a cell that begins so
FIXED = ("item", "stem", "system", "estimate", "flags")


def cell(value: float | str) -> str:
    """A number with twelve digits, "n/a" where undefined, or text no spreadsheet runs."""
    if isinstance(value, str):
        text = plain(value)
        return f"'{text}" if text.lstrip().startswith(FORMULA) else text
    return "n/a" if math.isnan(value) else f"{value:.12g}"


def rows_csv(rows: Sequence[Row]) -> str:
    """One line per row: names, facts, scores, and of how many frames scores are medians.

    Facts are headed "fact.", so that an item's SNR and a metric of that name stay apart.
    """
    facts = _keys(row.facts for row in rows)
    scores = _keys(row.scores for row in rows)
    frames = _keys(row.frames for row in rows)
    counts = [f"{column}.{part}" for column in frames for part in ("frames", "all_frames")]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [*FIXED, *(f"fact.{fact}" for fact in facts), *scores, *counts]
    writer.writerow([cell(name) for name in names])
    for row in rows:
        writer.writerow(
            [
                *(cell(text) for text in (row.item, row.stem, row.system, row.estimate)),
                cell(" ".join(row.flags)),
                *(cell(row.facts.get(fact, "")) for fact in facts),
                *(cell(row.scores.get(column, math.nan)) for column in scores),
                *(str(n) for column in frames for n in row.frames.get(column, ("", ""))),
            ]
        )
    return text.getvalue()


def _keys(mappings: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(key for mapping in mappings for key in mapping))
