"""How well a score tells what is there from what is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from sepcli.evaluation.scene import Array
from sepcli.evaluation.statistics.bootstrap import FEWEST, Interval, resamples
from sepcli.evaluation.statistics.clusters import cluster


@dataclass(frozen=True)
class Roc:
    """Receiver operating characteristic: "present" is said when the score reaches a threshold.

    Attributes:
        thresholds: (points,), falling from infinity (nothing is called present).
        false_positives: (points,), share of the absent called present, rising from 0 to 1.
        true_positives: (points,), share of the present called present, rising from 0 to 1.
    """

    thresholds: Array
    false_positives: Array
    true_positives: Array


def auc(present: ArrayLike, absent: ArrayLike) -> float:
    """Chance that something present scores above something absent, ties counting half.

    It is the area under the curve of `roc`, and Mann and Whitney's U over the number of pairs:
    with R the sum of the ranks of n present among all scores, U = R - n (n + 1) / 2.

    Args:
        present: (n,), scores; NaN is left out.
        absent: (m,), likewise.

    Returns:
        0 to 1, 0.5 for guessing; NaN if either is empty.
    """
    there, gone = cluster(present).values, cluster(absent).values
    n, m = there.size, gone.size
    if not n or not m:
        return float("nan")
    ranks = rankdata(np.concatenate([there, gone]))[:n]
    return float((ranks.sum() - n * (n + 1) / 2) / (n * m))


def auc_ci(
    present: ArrayLike,
    absent: ArrayLike,
    present_groups: Sequence[str],
    absent_groups: Sequence[str],
    level: float = 0.95,
    resamplings: int = 10_000,
    seed: int = 0,
) -> Interval:
    """`auc` with its percentile interval over clusters, those of one name drawn together.

    With w_i how often the cluster of a present score p_i was drawn, v_j that of an absent a_j,

        auc* = sum_i w_i ( sum_{a_j < p_i} v_j + sum_{a_j = p_i} v_j / 2 ) / (sum w  sum v),

    where the inner sums are differences of one running sum over the sorted absent scores.

    Args:
        present: (n,), scores.
        absent: (m,), likewise.
        present_groups: (n,), names of clusters.
        absent_groups: (m,), likewise.
        level: of confidence.
        resamplings: how many.
        seed: of the draws.
    """
    there, gone = np.asarray(present, np.float64), np.asarray(absent, np.float64)
    names, owners = np.unique([*present_groups, *absent_groups], return_inverse=True)
    point = auc(there, gone)
    if len(names) < FEWEST or np.isnan(point):
        return Interval(point, np.nan, np.nan)
    order = np.argsort(gone, kind="stable")
    sides = [np.searchsorted(gone[order], there, side=side) for side in ("left", "right")]
    of_there, of_gone = owners[: there.size], owners[there.size :][order]
    areas = []
    for drawn in resamples(len(names), resamplings, seed, owners.size):
        w, v = drawn[:, of_there], drawn[:, of_gone]
        running = np.concatenate([np.zeros((len(v), 1)), np.cumsum(v, axis=1)], axis=1)
        won = (running[:, sides[0]] + running[:, sides[1]]) / 2
        pairs = w.sum(axis=1) * v.sum(axis=1)
        areas.append((w * won).sum(axis=1)[pairs > 0] / pairs[pairs > 0])
    low, high = np.quantile(np.concatenate(areas), [(1 - level) / 2, (1 + level) / 2])
    return Interval(point, float(low), float(high))


def roc(present: ArrayLike, absent: ArrayLike) -> Roc:
    """The curve, one point per distinct score.

    Raises:
        ValueError: if either is empty: its share is undefined.
    """
    there, gone = cluster(present).values, cluster(absent).values
    if not there.size or not gone.size:
        raise ValueError("a ROC curve needs scores of both present and absent sounds")
    scores = np.unique(np.concatenate([there, gone]))
    thresholds = np.append(np.inf, scores[::-1])
    return Roc(thresholds, _reaching(gone, thresholds), _reaching(there, thresholds))


def _reaching(ranked: Array, thresholds: Array) -> Array:
    """Share of sorted scores at or above each threshold.

    The first threshold is above all scores, even infinite ones.
    """
    shares = 1 - np.searchsorted(ranked, thresholds, side="left") / ranked.size
    shares[0] = 0
    return shares
