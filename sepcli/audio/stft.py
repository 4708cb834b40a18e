"""Short-time Fourier transform with hop and window given in seconds.

The same 40 ms window and 10 ms hop are used at every sample rate, so a bin is always
25 Hz wide and a frame always 10 ms apart. A mask made for one rate therefore fits every
other rate, and a network that reads such spectrograms needs no resampling of the signal
it filters.

Analysis uses a periodic Hann window w with hop = window / 4. Synthesis is the
least-squares inverse of Griffin and Lim (1984, eq. 6): overlap-add of the windowed inverse
transforms divided by sum_m w^2(n - m hop), which torch.istft implements.
"""

from __future__ import annotations

import torch
from torch import Tensor

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
    flat = spec.reshape(-1, *spec.shape[-2:])
    wave = torch.istft(
        flat,
        WINDOW_HOPS * hop,
        hop,
        window=window / window.sum(),
        center=True,
        length=samples,
    )
    return wave.reshape(*spec.shape[:-2], samples)
