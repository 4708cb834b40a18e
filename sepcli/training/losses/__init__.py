"""What a training makes small, one idea per file.

`LOSSES` are those that a config may name: called with a `Comparison`, each gives one value for
every pair of answer and target, (...).
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from sepcli.training.config import Loss
from sepcli.training.losses.comparison import Comparison, paper_magnitude
from sepcli.training.losses.magnitude import l1, loudness_weight
from sepcli.training.losses.multi_resolution_stft import multi_resolution_stft_loss
from sepcli.training.losses.si_sdr import si_sdr_loss
from sepcli.training.losses.snr import snr_loss


def l1_magnitude(pair: Comparison) -> Tensor:
    """In the paper's unit of magnitude."""
    estimate, target = (paper_magnitude(x, pair.masker) for x in (pair.estimate, pair.target))
    return l1(estimate, target)


def l1_weighted(pair: Comparison) -> Tensor:
    """In the paper's unit of magnitude; what is loud in the mixture counts more."""
    estimate, target, mixture = (
        paper_magnitude(x, pair.masker) for x in (pair.estimate, pair.target, pair.mixture)
    )
    return l1(estimate, target, loudness_weight(mixture))


LOSSES: dict[Loss, Callable[[Comparison], Tensor]] = {
    "snr": lambda pair: snr_loss(pair.estimate, pair.target),
    "si-sdr": lambda pair: si_sdr_loss(*pair.waves()),
    "l1-magnitude": l1_magnitude,
    "l1-weighted": l1_weighted,
    "multi-resolution-stft": lambda pair: multi_resolution_stft_loss(*pair.waves()),
}
