"""Short-time Fourier transform with hop and window given in seconds.

The same 40 ms window and 10 ms hop are used at every sample rate, so a bin is always
25 Hz wide and a frame always 10 ms apart. A mask made for one rate therefore fits every
other rate, and a network that reads such spectrograms needs no resampling of the signal
it filters.

Analysis uses a periodic Hann window w with hop = window / 4. Synthesis is the
least-squares inverse of Griffin and Lim (1984, eq. 6): overlap-add of the windowed inverse
transforms divided by sum_m w^2(n - m hop). Since a window is four hops long, that is the sum of
four signals, each a row of non-overlapping quarters, one hop later than the last: torch.istft,
which scatters sample by sample, takes twice as long.

Spectrograms lie frame by frame in memory, as the transform makes them and reads them. What
multiplies one does best to lie so, too.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

FRAMES_PER_SECOND = 100  # hop of 10 ms
WINDOW_HOPS = 4  # window of 40 ms
BIN_HZ = FRAMES_PER_SECOND / WINDOW_HOPS  # 25 Hz


def hop_length(rate: int) -> int:
    """Samples between two frames at `rate` Hz.

    Raises:
        ValueError: if 10 ms is not a whole number of samples.
    """
    if rate <= 0 or rate % FRAMES_PER_SECOND:
        raise ValueError(f"10 ms is not a whole number of samples at {rate} Hz")
    return rate // FRAMES_PER_SECOND


def stft(wave: Tensor, rate: int) -> Tensor:
    """Complex spectrogram, scaled so that a full-scale sine peaks at 0.5 at any rate.

    Args:
        wave: (..., samples), float.
        rate: sample rate in Hz, a multiple of 100.

    Returns:
        (..., bins, frames) with bins = 2 * hop + 1 and frames = samples // hop + 1.
    """
    hop = hop_length(rate)
    window = torch.hann_window(WINDOW_HOPS * hop, dtype=wave.dtype, device=wave.device)
    flat = wave.reshape(-1, wave.shape[-1])
    spec = torch.stft(
        flat,
        WINDOW_HOPS * hop,
        hop,
        window=window / window.sum(),
        center=True,
        pad_mode="constant",
        return_complex=True,
    )
    return spec.reshape(*wave.shape[:-1], *spec.shape[-2:])


def istft(spec: Tensor, rate: int, samples: int) -> Tensor:
    """The inverse of `stft`.

    Args:
        spec: (..., bins, frames), complex.
        rate: sample rate in Hz, a multiple of 100.
        samples: length of the signal that was analysed.

    Returns:
        (..., samples), float.
    """
    hop = hop_length(rate)
    window = torch.hann_window(WINDOW_HOPS * hop, dtype=spec.real.dtype, device=spec.device)
    frames = torch.fft.irfft(spec.mT, WINDOW_HOPS * hop) * (window * window.sum())
    weight = overlap_add(window.square().expand(frames.shape[-2], -1))
    first = WINDOW_HOPS // 2 * hop  # the first frame is centred on the first sample
    inside = slice(first, first + samples)
    return overlap_add(frames)[..., inside] / weight[inside]


def overlap_add(frames: Tensor) -> Tensor:
    """(..., frames, WINDOW_HOPS * hop) -> (..., (frames + WINDOW_HOPS - 1) * hop)."""
    count = frames.shape[-2]
    quarters = frames.unflatten(-1, (WINDOW_HOPS, -1)).unbind(-2)
    total = F.pad(quarters[0], (0, 0, 0, WINDOW_HOPS - 1))
    for hops, quarter in enumerate(quarters[1:], 1):
        total[..., hops : hops + count, :] += quarter
    return total.flatten(-2)
