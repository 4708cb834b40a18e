"""Short-time objective intelligibility, plain and extended.

STOI (Taal et al., 2011, "An Algorithm for Intelligibility Prediction of Time-Frequency Weighted
Noisy Speech"): at 10 kHz, frames that are over 40 dB below the reference's loudest are taken out
of both signals; the magnitudes of 15 third-octave bands are compared over segments of 30 frames
(384 ms). Within a segment and band, the estimate's envelope is scaled to the reference's energy
and clipped to a signal-to-distortion ratio of -15 dB; STOI is the mean of the correlations of
envelopes over all segments and bands.

ESTOI (Jensen and Taal, 2016, "An Algorithm for Predicting the Intelligibility of Speech Masked
by Modulated Noise Maskers"): instead of clipping, each segment's rows (bands) are brought to
mean 0 and norm 1, then its columns (frames), and columns are correlated.

Both are computed on the mean of the channels. The anti-aliasing filter has the design of Octave's
`resample`, as in pystoi, with which results agree to 1e-12 (where an estimate is silent, its
ESTOI is noise around the 0 that it is here). A silent reference, and one with less
than 30 frames of speech, give NaN.

They are blind to the estimate's gain, to what happens while the reference is silent, to all
above 4.3 kHz, and to quality: both predict which words are understood, not how they sound. For
music they mean nothing.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import resample_poly

from sepcli.evaluation.metrics.stemwise import mono
from sepcli.evaluation.metrics.validation import validate, validate_pair
from sepcli.evaluation.scene import Array, Compat, Scene, Scores, Signal

RATE = 10_000  # Hz
FRAME = 256  # samples, 25.6 ms
HOP = FRAME // 2
FFT = 512
BANDS = 15
LOWEST_CENTRE = 150.0  # Hz
SEGMENT = 30  # frames
RANGE_DB = 40.0  # below the loudest frame
CLIP = 1 + 10 ** (15 / 20)  # of the reference's magnitude: a distortion of at most +15 dB


def stoi(reference: Signal, estimate: Signal, rate: int) -> float:
    """STOI, at most 1; NaN without 30 frames of speech.

    Args:
        reference: (channels, samples) or (samples,).
        estimate: the same shape.
        rate: Hz.

    Raises:
        ItemError: see `validate_pair`.
    """
    segments = speech_segments(reference, estimate, rate)
    return plain(*segments) if segments else float("nan")


def estoi(reference: Signal, estimate: Signal, rate: int) -> float:
    """ESTOI; arguments, limits and errors as of `stoi`."""
    segments = speech_segments(reference, estimate, rate)
    return extended(*segments) if segments else float("nan")


def speech_segments(reference: Signal, estimate: Signal, rate: int) -> tuple[Array, Array] | None:
    """Both signals' band magnitudes, (segments, bands, 30 frames); None without a segment.

    Raises:
        ItemError: see `validate_pair`.
    """
    validate_pair(reference, estimate)
    x, y = (to_10_khz(mono(signal), rate) for signal in (reference, estimate))
    x, y = without_silence(x, y)
    if frame_count(len(x)) < SEGMENT:
        return None
    # The view's last axis is time within the segment.
    bands = [sliding_window_view(third_octaves(signal), SEGMENT, axis=0) for signal in (x, y)]
    return bands[0], bands[1]


def plain(x: Array, y: Array) -> float:
    """STOI of segments from `speech_segments`."""
    scale = np.linalg.norm(x, axis=-1, keepdims=True) * _inverse_norm(y)
    clipped = np.minimum(y * scale, x * CLIP)
    correlations = (_centred_unit(x, axis=-1) * _centred_unit(clipped, axis=-1)).sum(axis=-1)
    return float(correlations.mean())


def extended(x: Array, y: Array) -> float:
    """ESTOI of segments from `speech_segments`."""
    x, y = (_centred_unit(_centred_unit(z, axis=2), axis=1) for z in (x, y))
    return float((x * y).sum(axis=1).mean())


def _centred_unit(x: Array, axis: int) -> Array:
    centred = x - x.mean(axis=axis, keepdims=True)
    return np.asarray(centred * _inverse_norm(centred, axis))


def _inverse_norm(x: Array, axis: int = -1) -> Array:
    """1 / norm, and 0 for zero, so that what is empty correlates with nothing."""
    norm = np.linalg.norm(x, axis=axis, keepdims=True)
    return np.asarray(np.divide(1.0, norm, out=np.zeros_like(norm), where=norm > 0))


def to_10_khz(signal: Array, rate: int) -> Array:
    """(samples,) at 10 kHz.

    The low pass is a sinc with a Kaiser window: 60 dB of rejection, cut-off at the lower of the
    two Nyquist frequencies, a transition a tenth as wide. Length and shape follow from these by
    Kaiser's formulas, (A - 8) / (2.285 * 2 pi * width) and 0.1102 (A - 8.7).
    """
    if rate == RATE:
        return signal
    common = math.gcd(RATE, rate)
    up, down = RATE // common, rate // common
    cutoff = 1 / (2 * max(up, down))
    half = math.ceil((60 - 8) / (28.714 * cutoff / 10))
    time = np.arange(-half, half + 1)
    taps = np.sinc(2 * cutoff * time) * np.kaiser(len(time), 0.1102 * (60 - 8.7))
    return np.asarray(resample_poly(signal, up, down, window=taps / taps.sum()))


def without_silence(x: Array, y: Array) -> tuple[Array, Array]:
    """Both without the frames in which x is over 40 dB below its loudest, joined by overlap."""
    x_frames, y_frames = frames(x), frames(y)
    levels = np.linalg.norm(x_frames, axis=1)
    kept = levels > levels.max(initial=0.0) * 10 ** (-RANGE_DB / 20)
    return _joined(x_frames[kept]), _joined(y_frames[kept])


def _joined(kept: Array) -> Array:
    """Frames added up at half a frame's distance."""
    halves = kept.reshape(-1, 2, HOP)
    joined = np.zeros((len(kept) + 1, HOP))
    joined[:-1] += halves[:, 0]
    joined[1:] += halves[:, 1]
    return joined.ravel()


def frames(signal: Array) -> Array:
    """Windowed frames, (frames, 256)."""
    count = frame_count(len(signal))
    if not count:
        return np.empty((0, FRAME))
    window = np.hanning(FRAME + 2)[1:-1]
    return np.asarray(sliding_window_view(signal, FRAME)[: count * HOP : HOP] * window)


def frame_count(samples: int) -> int:
    """How many frames start early enough; the definition leaves out one that ends at the end."""
    return max(0, -(-(samples - FRAME) // HOP))


def third_octaves(signal: Array) -> Array:
    """Magnitude of every band, (frames, bands)."""
    power = np.square(np.abs(np.fft.rfft(frames(signal), FFT)))
    return np.asarray(np.sqrt(power @ band_matrix().T))


@lru_cache(maxsize=1)
def band_matrix() -> Array:
    """Which bins belong to which band, (bands, bins), of zeros and ones.

    A band reaches from a sixth of an octave below its centre to a sixth above; edges are rounded
    to bins, and the upper one belongs to the next band.
    """
    centres = LOWEST_CENTRE * 2 ** (np.arange(BANDS) / 3)
    first, end = (np.rint(centres * 2**sixth * FFT / RATE) for sixth in (-1 / 6, 1 / 6))
    bins = np.arange(FFT // 2 + 1)
    inside = (bins >= first[:, None]) & (bins < end[:, None])
    return inside.astype(np.float64)


def evaluate(scene: Scene, compat: Compat = "sepcli") -> Scores:
    """Columns stoi and estoi.

    Raises:
        ItemError: see `validate`.
    """
    validate(scene)
    scores: Scores = {name: np.full(len(scene.stems), np.nan) for name in ("stoi", "estoi")}
    for number, pair in enumerate(zip(scene.references, scene.estimates, strict=True)):
        if segments := speech_segments(*pair, scene.rate):
            scores["stoi"][number] = plain(*segments)
            scores["estoi"][number] = extended(*segments)
    return scores
