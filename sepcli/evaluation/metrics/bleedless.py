"""Bleedless and fullness: what the estimate has too much of, and what it lacks.

Mel spectrograms in dB of estimate and reference are subtracted. With D the difference,

    bleedless = 100 / (1 + mean of D where D > 0)
    fullness  = 100 / (1 - mean of D where D < 0)

the mean over no bins being 0. Spectra have 4096 samples every 1024 with a Hann window; there are
512 mel bands (Slaney's scale, triangles of equal area) up to 22.05 kHz; levels are at most 80 dB
below the spectrogram's maximum over all channels. Metrics of the MVSEP leaderboards, defined by
the code of ZFTurbo/Music-Source-Separation-Training (utils/metrics.py, MIT), which always
assumes 44.1 kHz: other rates are resampled.

They are blind to phase, to how many bins differ (a mean over the few that do counts as one over
all), and to level: 80 dB down count like the loudest bins. One without the other means nothing,
since a wrong gain raises one and lowers the other. For a silent reference they are defined but
say little: bleedless is 100 for silence and below 2 for all that is audible.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from sepcli.evaluation.metrics.resampling import resampled
from sepcli.evaluation.metrics.spectra import magnitudes, periodic_hann
from sepcli.evaluation.metrics.validation import validate, validate_pair
from sepcli.evaluation.scene import Array, Compat, Scene, Scores, Signal

RATE = 44100  # Hz
LENGTH = 4096
HOP = 1024
BANDS = 512
RANGE_DB = 80.0
SMALLEST = 1e-10  # magnitude, -200 dB


def bleedless_fullness(reference: Signal, estimate: Signal, rate: int) -> tuple[float, float]:
    """Both figures, above 0 to 100, higher is better.

    Args:
        reference: (channels, samples).
        estimate: the same shape.
        rate: Hz.

    Raises:
        ItemError: see `validate_pair`.
    """
    s, e = validate_pair(reference, estimate)
    difference = mel_db(resampled(e, rate, RATE)) - mel_db(resampled(s, rate, RATE))
    added, lost = difference[difference > 0], difference[difference < 0]
    return 100 / (1 + _mean(added)), 100 / (1 - _mean(lost))


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else 0.0


def mel_db(signal: Array) -> Array:
    """Mel spectrogram of 44.1 kHz, (channels, frames, bands), in dB of full-scale magnitude."""
    window = periodic_hann(LENGTH)
    bands = np.stack([magnitudes(x, window, HOP, "constant") @ mel_bank().T for x in signal])
    levels = 20 * np.log10(np.maximum(bands, SMALLEST))
    return np.asarray(np.maximum(levels, levels.max() - RANGE_DB))


@lru_cache(maxsize=1)
def mel_bank() -> Array:
    """Triangles of equal area in Hz between points equally far apart in mel, (bands, bins)."""
    edges = mel_to_hz(np.linspace(0, hz_to_mel(RATE / 2), BANDS + 2))
    lower, centre, upper = (edges[k : k + BANDS, None] for k in range(3))
    bins = np.arange(LENGTH // 2 + 1) * RATE / LENGTH
    rising, falling = (bins - lower) / (centre - lower), (upper - bins) / (upper - centre)
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) * 2 / (upper - lower))


# Slaney's scale (Auditory Toolbox, 1998): 200/3 Hz a mel up to 1 kHz, then a factor of 6.4 in 27.
LINEAR = 200 / 3
BREAK_HZ = 1000.0
BREAK_MEL = BREAK_HZ / LINEAR
STEP = math.log(6.4) / 27


def hz_to_mel(hz: float) -> float:
    """Mel of a frequency of at least 1 kHz."""
    return BREAK_MEL + math.log(hz / BREAK_HZ) / STEP


def mel_to_hz(mel: Array) -> Array:
    """Frequency of every mel."""
    return np.where(mel < BREAK_MEL, LINEAR * mel, BREAK_HZ * np.exp(STEP * (mel - BREAK_MEL)))


def evaluate(scene: Scene, compat: Compat = "sepcli") -> Scores:
    """Columns bleedless and fullness.

    Raises:
        ItemError: see `validate`.
    """
    validate(scene)
    pairs = zip(scene.references, scene.estimates, strict=True)
    both = np.array([bleedless_fullness(*pair, scene.rate) for pair in pairs])
    return {"bleedless": both[:, 0], "fullness": both[:, 1]}
