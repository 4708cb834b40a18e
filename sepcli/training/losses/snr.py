"""Signal-to-noise ratio on spectrograms.

With a hop of a quarter window the transform is a tight frame up to a scale, so an error energy
measured on spectrograms is the waveform's (Parseval).
"""

from __future__ import annotations

import torch
from torch import Tensor

CLIP_DB = 30.0  # better than this counts no further
THRESHOLD = 10 ** (-CLIP_DB / 10)
SILENT = 1e-12  # energy below which there is nothing to compare with


def snr_loss(estimate: Tensor, target: Tensor) -> Tensor:
    """Minus the signal-to-noise ratio in dB, saturating at CLIP_DB.

        10 log10( |S - Y|^2 / |S|^2 + t ),   t = THRESHOLD

    The thresholded form is that of Wisdom et al. (2020, eq. 3).

    Args:
        estimate: (..., bins, frames), real or complex.
        target: (..., bins, frames). Leading dimensions are broadcast.

    Returns:
        (...), dB.
    """
    return ratio_db(energy(target - estimate), energy(target))


def ratio_db(part: Tensor, whole: Tensor) -> Tensor:
    """How large an energy is against another, in dB, saturating at -CLIP_DB."""
    return 10 * torch.log10(part / whole.clamp(min=SILENT) + THRESHOLD)


def energy(spec: Tensor) -> Tensor:
    """Sum of squared magnitudes over bins and frames."""
    power = spec.real.square() + spec.imag.square() if spec.is_complex() else spec.square()
    return power.sum((-2, -1))
