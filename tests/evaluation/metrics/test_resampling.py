"""Changing rates."""

from __future__ import annotations

import numpy as np
import pytest

from sepcli.evaluation.metrics.resampling import resampled


def test_a_tone_stays_a_tone_in_its_channel() -> None:
    def tones(rate: int) -> np.ndarray:
        time = np.arange(rate) / rate
        return np.sin(2 * np.pi * np.array([[[440.0], [1000.0]]]) * time)

    moved = resampled(tones(48000), 48000, 16000)
    assert moved.shape == (1, 2, 16000)
    assert moved[..., 500:-500] == pytest.approx(tones(16000)[..., 500:-500], abs=1e-4)


def test_nothing_to_do() -> None:
    signal = np.ones((2, 5))
    assert resampled(signal, 8000, 8000) is signal
