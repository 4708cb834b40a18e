"""Longer or higher: a phase vocoder, for changing duration and pitch apart from each other.

A signal is cut into overlapping frames; new frames are read off at another pace, their magnitude
between those of the two nearest, their phase advanced by what the phase advanced between those
two. Flanagan and Golden (1966), "Phase vocoder"; the phase advance as in Laroche and Dolson
(1999), "Improved phase vocoder time-scale modification of audio", eq. 5 to 7. All over the last
axis, in float64.
"""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.signal import get_window

Array = NDArray[np.float64]
Spectra = NDArray[np.complex128]  # (signals, bins, frames)


def time_stretch(signals: Array, rates: Array, size: int) -> Array:
    """Play at another pace, at the same pitch.

    Args:
        signals: (signals, samples).
        rates: (signals,), above 1 for shorter; so near to each other that all need the same
            number of frames.
        size: of a frame, samples; a quarter of it is the hop.

    Returns:
        (signals, samples / the lowest rate), zero after samples / rate.

    Raises:
        ValueError: if the rates need different numbers of frames.
    """
    slow = pace(analyse(signals, size), rates)
    lengths = np.round(signals.shape[-1] / rates).astype(int)
    stretched = synthesise(slow, size)[:, : lengths.max()]
    return np.where(np.arange(lengths.max()) < lengths[:, None], stretched, 0.0)


def pitch_shift(signals: Array, semitones: float, size: int) -> Array:
    """Change the pitch, at the same pace: stretch, then read faster or slower.

    Args:
        signals: (signals, samples).
        semitones: upwards.
        size: of a frame, samples.

    Returns:
        (signals, samples)
    """
    rate = 2 ** (-semitones / 12)
    stretched = time_stretch(signals, np.full(len(signals), rate), size)
    # The converter filters each channel by itself: signals may travel as channels.
    shifted = soxr.resample(np.ascontiguousarray(stretched.T), 1 / rate, 1.0, quality="HQ").T
    return fit(shifted, signals.shape[-1])


def fit(signals: Array, samples: int) -> Array:
    """Cut, or fill with zeros, to a length."""
    kept = signals[..., :samples]
    filling = [(0, 0)] * (kept.ndim - 1) + [(0, samples - kept.shape[-1])]
    return np.pad(kept, filling)


def analyse(signals: Array, size: int) -> Spectra:
    """(signals, samples) -> spectra of frames centred on every (size / 4)th sample."""
    padded = np.pad(signals, ((0, 0), (size // 2, size // 2)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size, axis=-1)[:, :: size // 4]
    return np.fft.rfft(frames * get_window("hann", size)).swapaxes(-1, -2)


def pace(spectra: Spectra, rates: Array) -> Spectra:
    """Spectra at frames 0, rate, 2 rate, ... of each signal."""
    bins, frames = spectra.shape[-2:]
    counts = np.ceil(frames / rates).astype(int)
    if counts.min() != counts.max():
        raise ValueError("the rates are too different to stretch these signals together")
    steps = np.arange(counts[0]) * rates[:, None]
    advance = np.pi / 2 * np.arange(bins)  # of each bin's centre, in a hop of size / 4
    padded = np.pad(spectra, ((0, 0), (0, 0), (0, 2)))
    phase = np.angle(padded[..., 0])
    rows = np.arange(len(spectra))
    result = np.empty((*spectra.shape[:-1], counts[0]), np.complex128)
    for step in range(counts[0]):
        at = steps[:, step].astype(int)
        between = (steps[:, step] - at)[:, None]
        now, then = padded[rows, :, at], padded[rows, :, at + 1]
        result[..., step] = ((1 - between) * abs(now) + between * abs(then)) * np.exp(1j * phase)
        surplus = np.angle(then) - np.angle(now) - advance
        phase += advance + surplus - 2 * np.pi * np.round(surplus / (2 * np.pi))
    return result


def synthesise(spectra: Spectra, size: int) -> Array:
    """Overlap-add, by least squares (Griffin and Lim, 1984, eq. 6); `analyse`'s inverse."""
    hop, frames = size // 4, spectra.shape[-1]
    window = get_window("hann", size)
    pieces = np.fft.irfft(spectra.swapaxes(-1, -2), size) * window
    total = np.zeros((len(spectra), size + hop * (frames - 1)))
    weight = np.zeros(total.shape[-1])
    for frame in range(frames):
        span = slice(frame * hop, frame * hop + size)
        total[:, span] += pieces[:, frame]
        weight[span] += window**2
    # The periodic window is zero where it starts, which is before what is kept.
    return total[:, size // 2 :] / weight[size // 2 :]
