"""L1 on linear magnitudes, as the paper compares a masked mixture with its target.

Mahmud et al. (2024, arXiv 2404.01740), in the form of its public code.
"""

from __future__ import annotations

from torch import Tensor

FAINTEST, LOUDEST = 1e-3, 10.0  # weights


def l1(estimate: Tensor, target: Tensor, weight: Tensor | float = 1.0) -> Tensor:
    """mean( w |Y - S| ) over bins and frames.

    Args:
        estimate: (..., bins, frames), magnitudes.
        target: (..., bins, frames), magnitudes. Leading dimensions are broadcast.
        weight: (..., bins, frames).

    Returns:
        (...)
    """
    return (weight * (estimate - target).abs()).mean((-2, -1))


def loudness_weight(magnitude: Tensor) -> Tensor:
    """w(A) = clamp(log(1 + A), 1e-3, 10): loud bins count more, yet not in proportion."""
    return magnitude.log1p().clamp(FAINTEST, LOUDEST)
