"""The distortions that MAPSS surrounds a reference with (Ivry et al., 2025, arXiv 2509.09212).

What a listener still takes for the same source is drawn as a cloud of points: the reference, and
the reference notched, combed, modulated, made noisy, ... The constants are those of the authors'
package `mapss-measures` 1.1.2. One bank serves Perceptual Separation (whole signals), the other,
stronger one Perceptual Match (every 20 ms frame by itself, so that each frame has its own cloud).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from numpy.random import RandomState
from scipy.signal import butter, filtfilt, lfilter

from sepcli.audio.vocoder import Array, fit, pitch_shift, time_stretch

RATE = 16_000  # Hz
FRAME = 320  # samples: 20 ms
SMALLEST = 1e-4  # peak, RMS and percentile of a frame are at least this
SEMITONES = (-4, -2, 2, 4)
COMBS = ((40, 0.4), (80, 0.5), (120, 0.6), (160, 0.7), (200, 0.9))  # lead in samples, gain
NOISES = tuple(  # SNR in dB, colour: how often white noise is integrated
    (snr, colour) for snr, colour in product(range(-15, 26, 5), (0, 1, 2)) if colour or snr >= 0
)


def separation_bank(reference: Array, random: RandomState) -> Iterator[Array]:
    """The distortions behind PS.

    Args:
        reference: (samples,) at 16 kHz and -23 LUFS, 0.4 s or more.
        random: where the noise comes from.

    Yields:
        (samples,)
    """
    time = np.arange(len(reference)) / RATE
    yield from notched(reference, (500, 1000, 2000, 4000, 8000), 50)
    yield from combed(reference)
    for hertz, depth in ((1, 0.3), (2, 0.5), (4, 0.8), (6, 1.0)):
        yield reference * (1 - depth + depth * tremolo(hertz, time))
    yield from noisy(reference, random)
    for hertz, gain in ((100, 0.02), (500, 0.03), (1000, 0.05), (4000, 0.08)):
        yield reference + gain * np.sin(2 * np.pi * hertz * time)
    for tail, gain in ((80, 0.3), (160, 0.5), (240, 0.7), (320, 0.9)):
        response = gain * np.exp(-np.linspace(0, 3, tail))
        yield lfilter(response, 1.0, reference)
    yield from (gated(reference, threshold) for threshold in (0.005, 0.01, 0.02, 0.04))
    yield from (pitch_shift(reference[None], steps, 2048)[0] for steps in SEMITONES)
    yield from filtered(reference, 4, "low", (2000, 3000, 4000, 6000))
    yield from filtered(reference, 4, "high", (100, 300, 500, 800))
    for delay, gain in ((80, 0.3), (160, 0.5), (240, 0.7)):
        yield reference + gain * fit(np.pad(reference, (delay, 0)), len(reference))
    yield from (np.clip(reference, -limit, limit) for limit in (0.3, 0.5, 0.7))
    for hertz, depth in ((3, 0.001), (5, 0.002), (7, 0.003)):
        pace = 1 + depth * np.sin(2 * np.pi * hertz * time).mean()
        yield fit(time_stretch(reference[None], np.array([pace]), 2048)[0], len(reference))


def match_bank(reference: Array, random: RandomState) -> Iterator[Array]:
    """The distortions behind PM; echo and reverberation are longer than a frame, and left out.

    Args:
        reference: (samples,) at 16 kHz and -23 LUFS.
        random: where the noise comes from.

    Yields:
        (samples,), filled with zeros to whole frames.
    """
    count = -(-len(reference) // FRAME)
    padded = fit(reference, count * FRAME)
    for distorted in _match_frames(padded.reshape(count, FRAME), padded, random):
        yield distorted.ravel()


def _match_frames(frames: Array, whole: Array, random: RandomState) -> Iterator[Array]:
    """(frames, FRAME) distorted, as `whole`'s spectrum and each frame's levels say."""
    peak, level, high = frame_levels(frames)
    time = np.arange(FRAME) / RATE
    centres = (np.arange(len(frames))[:, None] + 0.5) * FRAME / RATE
    yield from notched(frames, spectral_peaks(whole), 60)
    yield from combed(frames)
    yield from (frames * tremolo(hertz, centres) for hertz in (1, 2, 4, 6))
    yield from noisy_frames(frames, random)
    for hertz, gain in ((100, 0.4), (500, 0.6), (1000, 0.8), (4000, 1.0)):
        yield frames + gain * level * np.sin(2 * np.pi * hertz * time)
    yield from (gated(frames, share * high) for share in (0.05, 0.1, 0.2, 0.4))
    yield from (pitch_shift(frames, steps, FRAME // 2) for steps in SEMITONES)
    yield from filtered(frames, 6, "low", energy_edges(whole, (0.5, 0.7, 0.85, 0.95)))
    from_above = (0.95, 0.85, 0.7, 0.5)
    yield from filtered(frames, 6, "high", energy_edges(whole, from_above, downwards=True))
    yield from (np.clip(frames, -share * high, share * high) for share in (0.7, 0.5, 0.3))
    for scale in (1.0, 1.3, 1.6):
        depth = np.clip(0.03 * scale * level / peak, 0.01, 0.05)
        yield fit(time_stretch(frames, 1 + depth[:, 0], FRAME // 2), FRAME)


def frame_levels(frames: Array) -> tuple[Array, Array, Array]:
    """Peak, RMS and 95th percentile of the magnitude of each frame, each (frames, 1)."""
    size = abs(frames)
    levels = (
        size.max(axis=1),
        np.sqrt(np.square(frames).mean(axis=1)),
        np.percentile(size, 95, axis=1),
    )
    peak, level, high = (np.maximum(value, SMALLEST)[:, None] for value in levels)
    return peak, level, high


def notched(signals: Array, centres: Sequence[float], half_width: float) -> Iterator[Array]:
    """Without the bins nearer than `half_width` Hz to each centre."""
    spectrum, samples = np.fft.rfft(signals), signals.shape[-1]
    frequencies = np.fft.rfftfreq(samples, 1 / RATE)
    for centre in centres:
        kept = abs(frequencies - centre) >= half_width
        yield np.fft.irfft(spectrum * kept, samples)


def combed(signals: Array) -> Iterator[Array]:
    """Plus what comes a little later."""
    for lead, gain in COMBS:
        later = np.zeros_like(signals)
        later[..., :-lead] = signals[..., lead:]
        yield signals + gain * later


def tremolo(hertz: float, seconds: Array) -> Array:
    """Gain between 0 and 1."""
    gain: Array = 0.5 * (1 + np.sin(2 * np.pi * hertz * seconds))
    return gain


def coloured(white: Array, colour: int) -> Array:
    """White noise, or its first or second integral with a peak of 1."""
    if colour == 0:
        return white
    for _ in range(colour):
        white = np.cumsum(white, axis=-1)
    peak = np.maximum(abs(white).max(axis=-1, keepdims=True), 1e-12)
    return np.asarray(white / peak)


def noisy(reference: Array, random: RandomState) -> Iterator[Array]:
    """Plus noise; the integrals count as of RMS 1, though theirs is lower."""
    level = np.sqrt(np.square(reference).mean())
    for snr, colour in NOISES:
        yield reference + level * 10 ** (-snr / 20) * coloured(random.randn(len(reference)), colour)


def noisy_frames(frames: Array, random: RandomState) -> Iterator[Array]:
    """Plus noise between 20 Hz and 7.2 kHz, of an SNR of at most 15 dB."""
    band = butter(5, (20 / (RATE / 2), 0.9), "band")
    level = np.sqrt(np.square(frames).mean(axis=1, keepdims=True))
    white = random.randn(len(frames), len(NOISES), FRAME)
    for index, (snr, colour) in enumerate(NOISES):
        noise = lfilter(*band, coloured(white[:, index], colour))
        own = np.sqrt(np.square(noise).mean(axis=1, keepdims=True)) + 1e-12
        yield frames + noise * level * 10 ** (-min(snr, 15) / 20) / own


def gated(signals: Array, threshold: float | Array) -> Array:
    """Zero where it is small."""
    return np.where(abs(signals) < threshold, 0.0, signals)


def filtered(signals: Array, order: int, kind: str, edges: Sequence[float]) -> Iterator[Array]:
    """Through Butterworth filters, forwards and backwards."""
    for edge in edges:
        yield filtfilt(*butter(order, edge / (RATE / 2), kind), signals)


def spectral_peaks(wave: Array) -> list[float]:
    """Up to 20 frequencies in Hz, over 300 Hz apart, out of the 60 strongest bins."""
    frequencies = np.fft.rfftfreq(len(wave), 1 / RATE)
    audible = (frequencies > 80) & (frequencies < 0.45 * RATE)
    strongest = np.argsort(abs(np.fft.rfft(wave))[audible])[:-61:-1]
    peaks: list[float] = []
    for candidate in frequencies[audible][strongest]:
        if all(abs(candidate - peak) > 300 for peak in peaks):
            peaks.append(float(candidate))
    return peaks[:20]


def energy_edges(wave: Array, shares: Sequence[float], downwards: bool = False) -> list[float]:
    """Hundreds of Hz below which these shares of the energy lie, without repetition.

    Args:
        wave: (samples,)
        shares: of the energy.
        downwards: count the energy from the top, which differs by how edges are rounded.

    Returns:
        Hz, sorted, only those that a filter can have.
    """
    frequencies = np.fft.rfftfreq(len(wave), 1 / RATE)
    power = np.square(abs(np.fft.rfft(wave)))
    if downwards:
        frequencies, power = frequencies[::-1], power[::-1]
        shares = [1 - share for share in shares]
    bins = np.searchsorted(np.cumsum(power), np.array(shares) * power.sum())
    edges = {100.0 * round(frequency / 100) for frequency in frequencies[bins]}
    return sorted(edge for edge in edges if 0 < edge < 0.99 * RATE / 2)
