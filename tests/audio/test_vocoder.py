"""Duration and pitch, changed apart from each other."""

from __future__ import annotations

import numpy as np
import pytest

from sepcli.audio.vocoder import fit, pitch_shift, time_stretch

RATE = 16_000
SIZE = 2048


def tone(hertz: float, seconds: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)[None]


def loudest(signal: np.ndarray) -> float:
    """Frequency of the strongest bin of the middle half second, Hz."""
    middle = signal[len(signal) // 4 :][: RATE // 2] * np.hanning(RATE // 2)
    return float(np.argmax(abs(np.fft.rfft(middle))) * 2)


def test_at_a_pace_of_one_nothing_changes() -> None:
    wave = np.random.default_rng(0).standard_normal((2, 10_001))
    np.testing.assert_allclose(time_stretch(wave, np.ones(2), SIZE), wave, atol=1e-12)


@pytest.mark.parametrize("rate", [0.8, 1.25])
def test_stretching_keeps_pitch_and_about_the_level(rate: float) -> None:
    stretched = time_stretch(tone(1000), np.array([rate]), SIZE)
    assert stretched.shape == (1, round(RATE / rate))
    assert loudest(stretched[0]) == 1000
    middle = stretched[0, SIZE:-SIZE]
    assert np.sqrt(np.square(middle).mean()) == pytest.approx(np.sqrt(0.5), rel=0.15)


@pytest.mark.parametrize("semitones", [-12, -4, 4, 12])
def test_shifting_keeps_duration(semitones: float) -> None:
    shifted = pitch_shift(tone(1000), semitones, SIZE)
    assert shifted.shape == (1, RATE)
    assert loudest(shifted[0]) == pytest.approx(1000 * 2 ** (semitones / 12), abs=2)


def test_signals_do_not_hear_each_other() -> None:
    waves = np.random.default_rng(0).standard_normal((3, 320))
    together = pitch_shift(waves, 2, 160)
    np.testing.assert_array_equal(together[1:2], pitch_shift(waves[1:2], 2, 160))


def test_each_signal_has_its_own_pace() -> None:
    waves = np.random.default_rng(0).standard_normal((2, 320))
    stretched = time_stretch(waves, np.array([1.01, 1.05]), 160)
    assert stretched.shape == (2, 317)
    assert stretched[0, 316] != 0
    assert stretched[1, 304] != 0
    assert not stretched[1, 305:].any()


def test_paces_too_far_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="too different"):
        time_stretch(np.ones((2, 3200)), np.array([0.5, 1.0]), 160)


def test_fit() -> None:
    wave = np.arange(4.0)[None]
    np.testing.assert_array_equal(fit(wave, 3), [[0, 1, 2]])
    np.testing.assert_array_equal(fit(wave, 6), [[0, 1, 2, 3, 0, 0]])
