"""Scale-invariant SDR of waveforms (Le Roux et al., 2019, "SDR - half-baked or well done?")."""

from __future__ import annotations

import torch
from torch import Tensor

from sepcli.training.losses.snr import SILENT, THRESHOLD


def si_sdr_loss(estimate: Tensor, target: Tensor) -> Tensor:
    """Minus the SI-SDR in dB (eq. 4 there), saturating at CLIP_DB as `snr_loss` does.

        10 log10( |a s - y|^2 / |a s|^2 + t ),   a = <y, s> / <s, s>

    Args:
        estimate: (..., samples).
        target: (..., samples). Leading dimensions are broadcast.

    Returns:
        (...), dB.
    """
    power = target.square().sum(-1, keepdim=True).clamp(min=SILENT)
    scaled = (estimate * target).sum(-1, keepdim=True) / power * target
    noise = (scaled - estimate).square().sum(-1)
    return 10 * torch.log10(noise / scaled.square().sum(-1).clamp(min=SILENT) + THRESHOLD)
