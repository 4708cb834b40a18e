"""Windows of sounds: cut or repeated to length, faster or slower, with or without treble."""

from __future__ import annotations

import random

import numpy as np
import scipy.fft

from sepcli.training.corpora.sounds import RATE, Sound
from sepcli.training.mixing.level import Wave

GAP = 0.4  # seconds, the mean pause before a short sound is heard again
DELAYED = 0.5  # of short sounds do not begin with the window
SLOPE = 0.5  # octaves from all to nothing above a low-pass filter's cut-off


def fill(sound: Sound, samples: int, speeds: tuple[float, float], rng: random.Random) -> Wave:
    """(samples,) around one of a sound's active moments, at a random speed."""
    length = max(1, int(samples * rng.uniform(*speeds)))
    if len(sound.wave) < length:
        return respeed(repeated(sound.wave.astype(np.float32), length, sound.rate, rng), samples)
    first = int(rng.choice(sound.active)) - rng.randrange(length)
    start = min(max(0, first), len(sound.wave) - length)
    return respeed(sound.wave[start : start + length].astype(np.float32), samples)


def repeated(wave: Wave, length: int, rate: int, rng: random.Random) -> Wave:
    """(length,): the sound at a random onset, and again after random gaps while there is room."""
    out = np.zeros(length, np.float32)
    at = rng.randrange(max(1, length - len(wave))) if rng.random() < DELAYED else 0
    while at < length:
        part = wave[: length - at]
        out[at : at + len(part)] = part
        at += len(wave) + int(rng.expovariate(1 / (GAP * rate)))
    return out


def respeed(wave: Wave, samples: int) -> Wave:
    """(samples,): all of a sound, played faster or slower, by linear interpolation."""
    if len(wave) == samples:
        return wave
    at = np.arange(samples) * ((len(wave) - 1) / max(1, samples - 1))
    before = at.astype(np.int32)
    share = (at - before).astype(np.float32)
    steps = np.diff(wave, append=wave[-1:])
    out: Wave = wave.take(before, mode="clip") + share * steps.take(before, mode="clip")
    return out


def lowpass(waves: Wave, cutoff: float, rate: int = RATE) -> Wave:
    """(..., samples) without what is above `cutoff` Hz: the gain falls to zero over SLOPE."""
    samples = waves.shape[-1]
    frequency = np.fft.rfftfreq(samples, 1 / rate)
    octaves = np.log2(np.maximum(frequency, 1) / cutoff)
    gains = np.clip(1 - octaves / SLOPE, 0, 1).astype(np.float32)
    filtered: Wave = scipy.fft.irfft(scipy.fft.rfft(waves) * gains, samples)
    return filtered.astype(np.float32, copy=False)
