"""Rows with the clusters they belong to, in an order that the input's order cannot change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sepcli.evaluation.scene import Array


@dataclass(frozen=True)
class Clusters:
    """Values without NaN, sorted by cluster and, within a cluster, by size.

    Floating-point sums depend on the order of their terms: with a fixed order every figure made
    from the same rows is the same to the last bit.

    Attributes:
        values: (rows,).
        owners: (rows,), number of each row's cluster; clusters are numbered by name.
        count: of clusters.
        dropped: rows that were NaN.
    """

    values: Array
    owners: NDArray[np.intp]
    count: int
    dropped: int

    def sums(self, values: Array) -> Array:
        """(count,): the sum over each cluster of one value per row, (rows,)."""
        return np.bincount(self.owners, values, self.count).astype(np.float64)

    def sizes(self) -> Array:
        """(count,): rows in each cluster."""
        return np.bincount(self.owners, minlength=self.count).astype(np.float64)


def cluster(values: ArrayLike, groups: Sequence[str] | None = None) -> Clusters:
    """Sort rows into clusters.

    Args:
        values: (rows,); NaN rows are dropped and counted.
        groups: (rows,), names; None makes each row a cluster of its own.

    Raises:
        ValueError: if there are not as many groups as values.
    """
    numbers = np.asarray(values, np.float64)
    if numbers.ndim != 1 or (groups is not None and len(groups) != numbers.size):
        raise ValueError(
            f"values of shape {numbers.shape} need one group each, not "
            f"{'none' if groups is None else len(groups)}"
        )
    valid = ~np.isnan(numbers)
    kept, dropped = numbers[valid], int(numbers.size - valid.sum())
    if groups is None:
        return Clusters(np.sort(kept), np.arange(kept.size), kept.size, dropped)
    names, owners = np.unique(np.asarray(groups, dtype=str)[valid], return_inverse=True)
    order = np.lexsort((kept, owners))
    return Clusters(kept[order], owners[order], len(names), dropped)
