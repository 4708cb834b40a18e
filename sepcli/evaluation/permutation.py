"""Which estimate belongs to which reference, when nobody says: the assignment with the best
mean SI-SDR, by the Hungarian method (Kuhn, 1955), as permutation-invariant training has it."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from sepcli.evaluation.scene import Array

LIMIT_DB = 300.0  # stands for infinity, which no assignment can add up


def best_permutation(references: Array, estimates: Array) -> list[int]:
    """For every reference, the index of its estimate.

    Args:
        references: (stems, channels, samples).
        estimates: (stems or more, channels, samples); some of more are left out.
    """
    _, columns = linear_sum_assignment(pairwise_si_sdr(references, estimates), maximize=True)
    return [int(column) for column in columns]


def pairwise_si_sdr(references: Array, estimates: Array) -> Array:
    """SI-SDR of every estimate (columns) against every reference (rows), dB.

    With a = <e, s> / <s, s>, the error e - a s is orthogonal to s, so |e - a s|^2 is
    |e|^2 - a <e, s>: inner products are all it takes. Silence counts as the worst figure.
    """
    s = references.reshape(len(references), -1)
    e = estimates.reshape(len(estimates), -1)
    inner = s @ e.T
    powers = np.maximum(np.square(s).sum(axis=1, keepdims=True), np.finfo(float).tiny)
    target = np.square(inner) / powers
    error = np.maximum(np.square(e).sum(axis=1) - target, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = 10 * np.log10(target / error)
    table: Array = np.clip(np.nan_to_num(ratio, nan=-LIMIT_DB), -LIMIT_DB, LIMIT_DB)
    return table
