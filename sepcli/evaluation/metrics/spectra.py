"""Magnitudes of the short-time Fourier transform, in float64 and little memory."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from sepcli.evaluation.scene import Array

FRAMES_AT_ONCE = 512  # 17 MB of 4096 windowed samples; a song at once would take 350 MB


def magnitudes(
    channel: Array, window: Array, hop: int, padding: Literal["reflect", "constant"]
) -> Array:
    """|STFT| with frames centred on multiples of the hop, as torch.stft's default has them.

    Args:
        channel: (samples,); with padding by reflection, over half a window long.
        window: (length,), even.
        hop: in samples.
        padding: how half a window is added at both ends.

    Returns:
        (frames, bins), 1 + samples // hop frames of length // 2 + 1 bins.
    """
    padded = np.pad(channel, len(window) // 2, mode=padding)
    frames = sliding_window_view(padded, len(window))[::hop]
    spectrum = np.empty((len(frames), len(window) // 2 + 1))
    for start in range(0, len(frames), FRAMES_AT_ONCE):
        block = slice(start, start + FRAMES_AT_ONCE)
        spectrum[block] = np.abs(np.fft.rfft(frames[block] * window))
    return spectrum


def periodic_hann(length: int) -> Array:
    """The window whose shifted copies add up to a constant: sin^2(pi n / length)."""
    return np.square(np.sin(np.pi * np.arange(length) / length))
