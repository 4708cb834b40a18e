"""log-WMSE, the logarithm of a frequency-weighted mean squared error.

Defined by the package log-wmse-audio-quality (Jordal, 2023-2024, Apache-2.0); there is no paper.
At 44.1 kHz, for every channel, with w a weighting filter and m the mixture:

    d = w * (e - s) / rms(w * m),    samples with |d| < -68 dB count as 0
    log-WMSE = -4 ln( mean(d^2) + 1e-8 )

and the mean over channels. The division by the mixture makes it independent of the item's level
and defined for silent references, which is what it is for: a silent stem is scored by how far
the mixture was turned down. The scale is chosen to look like SDR; the highest value, -4 ln(1e-8)
= 73.68, is also that of a channel whose mixture is silent.

The filter is inspired by Fenton and Lee (2017, "Alternative Weighting Filters for Multi-Track
Program Loudness Measurement"): a high shelf of 5 dB at 1.5 kHz, a high pass at 120 Hz, 2.5 dB
around 500 Hz, a low pass at 10 kHz. The package ships its impulse response as data; here it is
computed from these figures, to within 2e-8. Scores agree to 1e-5.

It is blind to errors below -68 dB of the mixture, nearly so below 100 Hz and above 15 kHz, and
to which kind an error is. Since it depends on the mixture, values of items with few and with
many sources do not compare.
"""

from __future__ import annotations

import math
from functools import lru_cache, partial

import numpy as np
from scipy.signal import butter, freqz, oaconvolve

from sepcli.errors import ItemError
from sepcli.evaluation.metrics.resampling import resampled
from sepcli.evaluation.metrics.stemwise import per_stem
from sepcli.evaluation.metrics.validation import REMEDY, validate, validate_pair
from sepcli.evaluation.scene import Array, Compat, Scene, Scores, Signal

RATE = 44100  # Hz
TOLERANCE = 10 ** (-68 / 20)  # of the mixture's weighted RMS
EPS = 1e-8
SCALE = -4.0
GRID = 8192  # points of the transform that turns the filter's magnitude into an impulse response
TAPS = 4000


def log_wmse(reference: Signal, estimate: Signal, mixture: Signal, rate: int) -> float:
    """log-WMSE, at most 73.68; higher is better.

    Args:
        reference: (channels, samples).
        estimate: the same shape.
        mixture: the same shape.
        rate: Hz; all are resampled to 44.1 kHz.

    Raises:
        ItemError: if shapes differ, there are no samples, or a value is NaN or infinite.
    """
    s, e = validate_pair(reference, estimate)
    if mixture.shape != s.shape:
        raise ItemError(f"mixture {mixture.shape} and reference {s.shape} differ in shape", REMEDY)
    error = weighted(resampled(e - s, rate, RATE))
    level = mixture_level(mixture, rate)
    # Where the mixture is silent, so is any error that it could be compared with.
    relative = np.divide(error, level, out=np.zeros_like(error), where=level > 0)
    relative[np.abs(relative) < TOLERANCE] = 0.0
    per_channel = np.square(relative).mean(axis=-1)
    return float(np.mean(SCALE * np.log(per_channel + EPS)))


def mixture_level(mixture: Signal, rate: int) -> Array:
    """Weighted RMS of every channel, (channels, 1)."""
    heard = weighted(resampled(mixture.astype(np.float64, copy=False), rate, RATE))
    level: Array = np.sqrt(np.square(heard).mean(axis=-1, keepdims=True))
    return level


def weighted(signal: Array) -> Array:
    """(..., samples) at 44.1 kHz through the filter, without delay."""
    taps = weighting_filter().reshape((1,) * (signal.ndim - 1) + (-1,))
    return np.asarray(oaconvolve(signal, taps, mode="same", axes=-1))


@lru_cache(maxsize=1)
def weighting_filter() -> Array:
    """Impulse response of the filter with zero phase, (4000,), its centre at index 1999.

    The definition samples the magnitude at GRID / 2 + 1 points that stop short of half the
    sampling rate, and takes them as if they reached it: all frequencies are 1/4096 too high.
    """
    angles = np.pi * np.arange(GRID // 2 + 1) / (GRID // 2 + 1)
    stages = (
        high_shelf(1500.0, gain_db=5.0, q=math.sqrt(1 / 2)),
        butter(2, 120.0, "highpass", fs=RATE),
        peak(500.0, gain_db=2.5, q=1.5 * math.sqrt(1 / 2)),
        butter(1, 10_000.0, fs=RATE),  # twice, as forwards and backwards
        butter(1, 10_000.0, fs=RATE),
    )
    magnitude = np.prod([np.abs(freqz(b, a, worN=angles)[1]) for b, a in stages], axis=0)
    response = np.fft.fftshift(np.fft.irfft(magnitude, GRID))
    first = GRID // 2 + 1 - TAPS // 2
    return np.asarray(response[first : first + TAPS])


def high_shelf(centre: float, gain_db: float, q: float) -> tuple[list[float], list[float]]:
    """Biquad of Bristow-Johnson's "Audio EQ Cookbook": gain above `centre` Hz, as (b, a)."""
    a, cosine, alpha = _cookbook(centre, gain_db, q)
    root = 2 * math.sqrt(a) * alpha
    zeros = [
        a * ((a + 1) + (a - 1) * cosine + root),
        -2 * a * ((a - 1) + (a + 1) * cosine),
        a * ((a + 1) + (a - 1) * cosine - root),
    ]
    poles = [
        (a + 1) - (a - 1) * cosine + root,
        2 * ((a - 1) - (a + 1) * cosine),
        (a + 1) - (a - 1) * cosine - root,
    ]
    return zeros, poles


def peak(centre: float, gain_db: float, q: float) -> tuple[list[float], list[float]]:
    """Biquad of Bristow-Johnson's "Audio EQ Cookbook": gain around `centre` Hz, as (b, a)."""
    a, cosine, alpha = _cookbook(centre, gain_db, q)
    return [1 + alpha * a, -2 * cosine, 1 - alpha * a], [1 + alpha / a, -2 * cosine, 1 - alpha / a]


def _cookbook(centre: float, gain_db: float, q: float) -> tuple[float, float, float]:
    """A, cos(w0) and alpha in the cookbook's notation."""
    angle = 2 * math.pi * centre / RATE
    return 10 ** (gain_db / 40), math.cos(angle), math.sin(angle) / (2 * q)


def evaluate(scene: Scene, compat: Compat = "sepcli") -> Scores:
    """Column log_wmse.

    Raises:
        ItemError: see `validate`.
    """
    validate(scene)
    score = partial(log_wmse, mixture=scene.mixture, rate=scene.rate)
    return {"log_wmse": per_stem(scene, score)}
