"""Signals at the rate that a metric was defined at."""

from __future__ import annotations

import numpy as np
import soxr

from sepcli.evaluation.scene import Array


def resampled(signal: Array, rate: int, target: int) -> Array:
    """(..., samples) at `target` Hz by soxr's "HQ"; the same object if it is there already."""
    if rate == target:
        return signal
    rows = signal.reshape(-1, signal.shape[-1])
    moved = np.asarray(soxr.resample(rows.T, rate, target, quality="HQ"), dtype=np.float64)
    return moved.T.reshape(*signal.shape[:-1], -1)
