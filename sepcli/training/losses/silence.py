"""The answer to a query for what is not there: silence."""

from __future__ import annotations

from torch import Tensor

from sepcli.training.losses.snr import energy, ratio_db


def silence_loss(estimate: Tensor, mixture: Tensor) -> Tensor:
    """What an answer lets through, in dB of the mixture, down to -CLIP_DB.

    Args:
        estimate: (..., bins, frames), real or complex.
        mixture: (..., bins, frames). Leading dimensions are broadcast.

    Returns:
        (...), dB.
    """
    return ratio_db(energy(estimate), energy(mixture))
