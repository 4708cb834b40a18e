"""Frequency bins merged into bands, narrow at the bottom and wide at the top.

Hearing resolves frequency about linearly below 1 kHz and logarithmically above. A network
that sees 64 such bands instead of 641 bins of 25 Hz costs a tenth, and separates everyday
sounds as well.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from sepcli.audio.stft import BIN_HZ

BINS = 641  # 0 to 16 kHz
FLOOR = 1e-4  # -80 dB relative to the window's level, below it magnitudes count as silence
SILENCE = 1e-5  # windows quieter than -100 dBFS are not brought up any further


def band_edges(bins: int, bands: int, narrowest: int = 2) -> list[int]:
    """First bin of every band, and the end of the last one.

    Edges are equally spaced on the mel scale, 2595 log10(1 + f / 700), where bands are
    wider than `narrowest` bins, and `narrowest` bins apart below that.

    Args:
        bins: number of bins, 25 Hz apart.
        bands: number of bands, at most bins / narrowest.
        narrowest: smallest width in bins.

    Returns:
        bands + 1 increasing integers from 0 to bins.
    """
    if bands * narrowest > bins:
        raise ValueError(f"{bands} bands of at least {narrowest} bins need more than {bins} bins")
    edges = [0]
    for left in range(bands, 0, -1):
        low, high = _mel(edges[-1] * BIN_HZ), _mel(bins * BIN_HZ)
        step = _hertz(low + (high - low) / left) / BIN_HZ
        edges.append(max(edges[-1] + narrowest, round(step)))
    edges[-1] = bins
    return edges


def band_mean(edges: list[int]) -> Tensor:
    """Matrix that averages the bins of each band, (bins, bands)."""
    matrix = torch.zeros(edges[-1], len(edges) - 1)
    for band, (first, last) in enumerate(pairwise(edges)):
        matrix[first:last, band] = 1 / (last - first)
    return matrix


def common_magnitude(spec: Tensor) -> Tensor:
    """(batch, channels, bins, frames) -> (batch, BINS, frames), the channels' RMS.

    Averaging power, not waveforms, keeps what would cancel in a downmix. Bins above
    16 kHz are left out, and missing ones are silent.
    """
    # Spectrograms lie frame by frame: read so, real and imaginary parts side by side.
    parts = torch.view_as_real(spec[..., :BINS, :].mT).flatten(-2)
    power = parts.square().mean(1).unflatten(-1, (-1, 2)).unbind(-1)
    # The root has no gradient at 0, where the power of a faint answer ends up in single precision.
    least = torch.finfo(parts.dtype).tiny
    roots = torch.add(*power).clamp(min=least).sqrt().mT.contiguous()
    return F.pad(roots, (0, 0, 0, BINS - roots.shape[-2]))


def level_free_log(magnitude: Tensor) -> Tensor:
    """Log magnitude relative to the window's RMS, about zero mean and unit variance."""
    level = magnitude.square().mean((1, 2), keepdim=True).sqrt().clamp(min=SILENCE)
    return ((magnitude / level + FLOOR).log() + 3) / 3


def _mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)


def _hertz(mel: float) -> float:
    return 700 * (10 ** (mel / 2595) - 1)
