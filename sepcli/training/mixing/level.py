"""How loud a sound is while it sounds: the RMS over its active samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]

LEVEL = 0.1  # RMS over active samples, before any gain: -20 dBFS
ACTIVE = 0.01  # samples above this part of the peak count as active
SILENT = 1e-8  # below this a sound is not brought to any level


def active_rms(wave: NDArray[np.floating]) -> float:
    """RMS over the samples above one per cent of the peak; 0 for silence."""
    size = np.abs(wave)
    loud = size > ACTIVE * size.max(initial=0.0)
    return float(np.sqrt(np.square(wave[loud], dtype=np.float64).mean())) if loud.any() else 0.0


def at_level(wave: Wave) -> Wave:
    """(samples,) scaled to LEVEL over its active samples."""
    scaled: Wave = wave * np.float32(LEVEL / max(active_rms(wave), SILENT))
    return scaled


def gain(decibels: float) -> np.float32:
    """The factor on amplitudes."""
    return np.float32(10 ** (decibels / 20))
