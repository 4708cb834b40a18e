"""Levels against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from sepcli.training.mixing.level import LEVEL, active_rms, at_level, gain


def test_a_sine_has_its_rms_whatever_silence_is_around_it() -> None:
    sine = 0.5 * np.sin(2 * np.pi * np.arange(8000) / 80)
    padded = np.concatenate([np.zeros(5000), sine, np.zeros(9000)])
    loud = sine[np.abs(sine) > 0.005]
    assert active_rms(padded) == pytest.approx(np.sqrt(np.mean(loud**2)))
    assert active_rms(padded) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


def test_samples_above_one_per_cent_of_the_peak_are_active() -> None:
    wave = np.array([1.0, 0.0101, 0.0099, 0.0])
    assert active_rms(wave) == pytest.approx(np.sqrt((1 + 0.0101**2) / 2))


def test_silence_has_no_level() -> None:
    assert active_rms(np.zeros(10)) == 0
    assert active_rms(np.zeros(0)) == 0
    np.testing.assert_array_equal(at_level(np.zeros(10, np.float32)), 0)


def test_sounds_are_brought_to_minus_20_dbfs() -> None:
    wave = at_level(np.array([0.3, -0.3, 0.0, 0.3], np.float32))
    np.testing.assert_allclose(wave, [0.1, -0.1, 0.0, 0.1], rtol=1e-6)
    assert LEVEL == 0.1
    assert wave.dtype == np.float32


@pytest.mark.parametrize(("decibels", "factor"), [(0, 1), (20, 10), (-40, 0.01), (6.0206, 2)])
def test_gains_are_of_amplitudes(decibels: float, factor: float) -> None:
    assert gain(decibels) == pytest.approx(factor, rel=1e-5)
