"""What the answers to more queries say of a model: paraphrases, absent sounds, leakage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from sepcli.evaluation.aggregate import aggregate
from sepcli.evaluation.results import ABSENT, LEAKAGE, SYSTEM, Row
from sepcli.evaluation.statistics import auc_ci, roc

PARAPHRASE = "paraphrase-"
PRESENCE = "presence"
ROC_POINTS = 101  # of the curve that is kept


def query_figures(rows: Sequence[Row], columns: Sequence[str]) -> dict[str, Any]:
    """Figures of everything that was asked beside the plain queries; empty if nothing was.

    Args:
        rows: of a run.
        columns: of which paraphrases' losses are told.

    Returns:
        `paraphrase_loss` (column -> aggregate of plain less paraphrased), `absent_db` (level of
        the answer to a sound that is unlike all that is heard, relative to the mixture),
        `presence_auc` and `roc` (heard against unlike sounds), `confusion` (what of a source, in
        dB, is in the answer to another query; median over mixtures).
    """
    figures: dict[str, Any] = {}
    if losses := paraphrase_losses(rows, columns):
        figures["paraphrase_loss"] = losses
    unlike = [r for r in rows if r.system == ABSENT and r.facts["unlike"] == "True"]
    if unlike:
        figures["absent_db"] = asdict(aggregate(unlike, "level_db"))
    heard = [r for r in rows if r.system == SYSTEM and PRESENCE in r.scores]
    absent = [r for r in unlike if PRESENCE in r.scores]
    if heard and absent:
        figures |= detection(heard, absent)
    if leaks := [row for row in rows if row.system == LEAKAGE]:
        figures["confusion"] = confusion(leaks)
    return figures


def paraphrase_losses(rows: Sequence[Row], columns: Sequence[str]) -> dict[str, Any]:
    """Column -> how much lower it is when a stem is asked for in other words."""
    plain = {(row.item, row.stem): row for row in rows if row.system == SYSTEM}
    others = [row for row in rows if row.system.startswith(PARAPHRASE)]
    shared = [c for c in columns if any(c in row.scores for row in others)]
    lost = [lost_by(plain[row.item, row.stem], row, shared) for row in others]
    return {column: asdict(aggregate(lost, column)) for column in shared}


def lost_by(plain: Row, other: Row, columns: Sequence[str]) -> Row:
    """A row whose scores are those of `plain` less those of `other`."""
    nan = math.nan
    scores = {c: plain.scores.get(c, nan) - other.scores.get(c, nan) for c in columns}
    return replace(other, scores=scores)


def detection(heard: Sequence[Row], absent: Sequence[Row]) -> dict[str, Any]:
    """How well presence tells what is heard from what is not: area, its interval, and curve."""
    there, gone = ([row.scores[PRESENCE] for row in rows] for rows in (heard, absent))
    area = auc_ci(there, gone, [row.item for row in heard], [row.item for row in absent])
    count = len(heard) + len(absent)
    counted = {"valid": count, "total": count, "infinite": 0, "median": math.nan}
    told = {"mean": area.point, "low": area.low, "high": area.high, **counted}
    return {"presence_auc": told, "roc": thinned_roc(there, gone)}


def thinned_roc(heard: Sequence[float], absent: Sequence[float]) -> list[tuple[float, float]]:
    """(false alarms, hits) at evenly spread points of the curve, its ends among them."""
    curve = roc(heard, absent)
    points = np.stack([curve.false_positives, curve.true_positives], axis=1)
    kept = np.unique(np.linspace(0, len(points) - 1, min(len(points), ROC_POINTS)).round())
    return [(float(x), float(y)) for x, y in points[kept.astype(int)]]


def confusion(leaks: Sequence[Row]) -> list[dict[str, Any]]:
    """For every pair of a query and another source: how much of the source it lets through."""
    pairs: dict[tuple[str, str], list[float]] = {}
    for row in leaks:
        pairs.setdefault((row.estimate, row.stem), []).append(row.scores["leakage_db"])
    return [
        {"asked": asked, "heard": heard, "db": float(np.median(values)), "mixtures": len(values)}
        for (asked, heard), values in sorted(pairs.items())
    ]
