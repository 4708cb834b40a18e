"""Objectives on spectrograms. With a hop of a quarter window the transform is a tight frame
up to a scale, so an error energy measured on spectrograms is the waveform's (Parseval)."""

from __future__ import annotations

import torch
from torch import Tensor

CLIP_DB = 30.0  # better than this counts no further


def snr_loss(mask: Tensor, mixture: Tensor, target: Tensor) -> Tensor:
    """Minus the signal-to-noise ratio of a masked mixture, in dB, saturating at CLIP_DB.

        -10 log10( |S|^2 / (|S - M X|^2 + t |S|^2) ),   t = 10^(-CLIP_DB / 10)

    The thresholded form is that of Wisdom et al. (2020, eq. 3).

    Args:
        mask: (batch, bins, frames), real.
        mixture: (batch, bins, frames), complex.
        target: (batch, bins, frames), complex, not silent.

    Returns:
        (batch,), dB.
    """
    signal = energy(target)
    return 10 * torch.log10(energy(target - mask * mixture) / signal + 10 ** (-CLIP_DB / 10))


def silence_loss(mask: Tensor, mixture: Tensor) -> Tensor:
    """What a query that is not there lets through, in dB of the mixture, down to -CLIP_DB.

    Returns:
        (batch,), dB.
    """
    passed = energy(mask * mixture) / energy(mixture).clamp(min=1e-12)
    return 10 * torch.log10(passed + 10 ** (-CLIP_DB / 10))


def energy(spec: Tensor) -> Tensor:
    """Sum of squared magnitudes over bins and frames."""
    return (
        (spec.real.square() + spec.imag.square()).sum((-2, -1))
        if spec.is_complex()
        else (spec.square().sum((-2, -1)))
    )


def contrast(audio: Tensor, texts: Tensor, positives: Tensor, scale: Tensor) -> Tensor:
    """Audio-to-text InfoNCE with any number of right answers (Khosla et al., 2020, eq. 2).

    Args:
        audio: (batch, embedding), of length 1.
        texts: (texts, embedding), of length 1.
        positives: (batch, texts), whether a text describes the audio.
        scale: inverse temperature.

    Returns:
        the mean over the batch.
    """
    log_chance = (scale * audio @ texts.T).log_softmax(dim=1)
    share = positives / positives.sum(dim=1, keepdim=True)
    return -(share * log_chance).sum(dim=1).mean()
