"""Is one system better than another on the same items? Tests and effect sizes of differences.

A difference is NaN where either system has no figure, and is left out. An infinite difference (a
perfect estimate against an imperfect one) is the limit of ever larger ones: it outweighs all
finite differences together, and outranks each of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata, wilcoxon

from sepcli.evaluation.scene import Array
from sepcli.evaluation.statistics.clusters import cluster

EXACT = 14  # clusters; up to here all 2^14 sign patterns are tried
BLOCK = 1 << 20  # signs held at once


def sign_flip_test(
    differences: ArrayLike,
    groups: Sequence[str] | None = None,
    permutations: int = 10_000,
    seed: int = 0,
) -> float:
    """Two-sided p of the mean difference, by flipping the signs of whole clusters.

    If both systems were equal, exchanging them on any item would be as likely as not (Fisher
    1935; Nichols & Holmes 2002): p is the share of sign patterns whose |mean| is at least the
    observed one. All patterns are tried up to `EXACT` clusters; beyond, random ones, with the
    observed one among them (Phipson & Smyth 2010), so that p is never 0.

    Args:
        differences: (rows,).
        groups: (rows,), names of the clusters; None for rows that are independent.
        permutations: random patterns.
        seed: of the patterns.

    Returns:
        p, NaN without any row.
    """
    data = cluster(differences, groups)
    if not data.count:
        return float("nan")
    sums = data.sums(_limit(data.values))
    threshold = abs(sums.sum()) * (1 - 1e-12)  # the same sum, rounded differently, is a tie
    if data.count <= EXACT:
        return float(np.mean(np.abs(_all_signs(data.count) @ sums) >= threshold))
    rng = np.random.default_rng(seed)
    rows, hits = max(1, BLOCK // data.count), 1
    for start in range(0, permutations, rows):
        shape = (min(rows, permutations - start), data.count)
        signs = 2.0 * rng.integers(0, 2, shape, dtype=np.int8) - 1
        hits += int(np.sum(np.abs(signs @ sums) >= threshold))
    return hits / (permutations + 1)


def wilcoxon_test(differences: ArrayLike, groups: Sequence[str] | None = None) -> float:
    """Two-sided p of Wilcoxon's signed-rank test on one mean difference per cluster.

    Zeros are ranked and then left out (Pratt 1959), so that items on which nothing changed count
    against a difference. Without ties and zeros, p is exact up to 50 clusters.

    Returns:
        p, 1 if all differences are zero, NaN without any.
    """
    means = _cluster_means(differences, groups)
    if not means.size:
        return float("nan")
    if not means.any():
        return 1.0
    return float(wilcoxon(means, zero_method="pratt").pvalue)


def holm(p_values: ArrayLike) -> Array:
    """Adjusted p-values that keep the chance of any false claim at the level (Holm 1979).

    With p_(1) <= ... <= p_(m): adjusted p_(k) = max over j <= k of min(1, (m - j + 1) p_(j)).
    NaN stays NaN and is not counted in m.
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p)
    order = order[~np.isnan(p[order])]
    adjusted = np.full(p.shape, np.nan)
    factors = np.arange(order.size, 0, -1)
    adjusted[order] = np.maximum.accumulate(np.minimum(1, factors * p[order]))
    return adjusted


def win_rate(differences: ArrayLike) -> float:
    """Share of rows with a positive difference, ties half; NaN without any row."""
    values = cluster(differences).values
    return float(np.mean((np.sign(values) + 1) / 2)) if values.size else float("nan")


def cohens_d(differences: ArrayLike, groups: Sequence[str] | None = None) -> float:
    """d_z: the mean over the standard deviation (n - 1) of one mean difference per cluster.

    Returns:
        NaN with fewer than two clusters, an infinite difference or none at all; infinite if all
        differences are equal and not zero.
    """
    means = _cluster_means(differences, groups)
    if means.size < 2 or np.isinf(differences).any() or not means.any():
        return float("nan")
    mean, deviation = means.mean(), means.std(ddof=1)
    if deviation <= 1e-12 * abs(mean):
        return float(np.copysign(np.inf, mean))
    return float(mean / deviation)


def rank_biserial(differences: ArrayLike) -> float:
    """Matched-pairs rank-biserial correlation (Kerby 2014), -1 to 1.

    The ranks of positive minus those of negative differences, over all of them; zeros are left
    out. NaN if nothing is left.
    """
    values = cluster(differences).values
    values = values[values != 0]
    if not values.size:
        return float("nan")
    ranks = rankdata(np.abs(values))
    return float((np.sign(values) * ranks).sum() / ranks.sum())


def _all_signs(count: int) -> Array:
    """(2^count, count): every pattern of +1 and -1."""
    bits = np.arange(2**count)[:, None] >> np.arange(count)
    return np.where(bits & 1, 1.0, -1.0)


def _limit(values: Array) -> Array:
    """Infinities as numbers: any M beyond twice the sum of the finite gives the limit's order,
    since k M + f and l M + g, |f| and |g| at most that sum, compare as k and l do."""
    finite = np.isfinite(values)
    size = 2 * np.abs(values[finite]).sum() + 1
    return np.where(finite, values, np.sign(values) * size)


def _cluster_means(differences: ArrayLike, groups: Sequence[str] | None) -> Array:
    """One mean per cluster, infinities in the limit."""
    data = cluster(differences, groups)
    return data.sums(_limit(data.values)) / data.sizes()
