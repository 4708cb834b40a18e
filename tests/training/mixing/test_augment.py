"""Windows of sounds: where they are cut, how fast they play, what they lose."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.sounds import Sound
from sepcli.training.mixing.augment import fill, lowpass, repeated, respeed

RATE = 8000  # Hz
CLIP = Clip(Path("x"), ("dog",), "x", "train", "CC0", "nobody", True)


def sound(wave: np.ndarray) -> Sound:
    return Sound(CLIP, wave.astype(np.float16), RATE)


def tone(frequency: float, samples: int = RATE) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * np.arange(samples) / RATE)


def test_windows_hold_something_of_a_sparse_sound() -> None:
    wave = np.zeros(60 * RATE)
    wave[40 * RATE : 40 * RATE + 800] = 0.5
    for seed in range(20):
        assert fill(sound(wave), RATE, (0.85, 1.18), random.Random(seed)).max() > 0.3


def test_windows_begin_anywhere_before_their_moment() -> None:
    wave = np.zeros(20 * RATE)
    wave[10 * RATE] = 1.0
    window = (1.0, 1.0)
    at = [int(fill(sound(wave), RATE, window, random.Random(s)).argmax()) for s in range(300)]
    assert np.histogram(at, bins=4, range=(0, RATE))[0].min() > 50


def test_windows_stay_within_their_sound() -> None:
    ramp = np.linspace(0.5, 1, 2 * RATE)
    for seed in range(50):
        assert fill(sound(ramp), RATE, (1.0, 1.0), random.Random(seed)).min() >= 0.499


@pytest.mark.parametrize("speed", [0.8, 1.25])
def test_speed_moves_pitch(speed: float) -> None:
    window = fill(sound(tone(500, 4 * RATE)), RATE, (speed, speed), random.Random(0))
    assert len(window) == RATE
    peak = np.abs(np.fft.rfft(window * np.hanning(RATE))).argmax()
    assert peak == pytest.approx(500 * speed, abs=1)


@given(samples=st.integers(2, 500), length=st.integers(2, 500))
def test_interpolation_is_linear_from_end_to_end(samples: int, length: int) -> None:
    line = respeed(np.linspace(-1, 1, length).astype(np.float32), samples)
    np.testing.assert_allclose(line, np.linspace(-1, 1, samples), atol=1e-6)
    assert line.dtype == np.float32


def test_interpolation_agrees_with_numpys() -> None:
    wave = np.random.default_rng(0).standard_normal(90_000).astype(np.float32)
    expected = np.interp(np.linspace(0, 89_999, 81_920), np.arange(90_000), wave)
    np.testing.assert_allclose(respeed(wave, 81_920), expected, atol=1e-5)
    assert respeed(wave, 90_000) is wave
    assert respeed(wave, 1) == wave[0]


def onsets(seed: int, length: int) -> np.ndarray:
    """Where a click of ten samples is heard."""
    out = repeated(np.ones(10, np.float32), length, RATE, random.Random(seed))
    return np.flatnonzero(np.diff(out, prepend=0) > 0)


def test_short_sounds_come_again_after_gaps_of_400_ms() -> None:
    gaps = np.concatenate([np.diff(onsets(seed, 200 * RATE)) for seed in range(10)]) - 10
    assert gaps.min() >= 0
    assert gaps.mean() / RATE == pytest.approx(0.4, rel=0.05)
    assert gaps.std() / RATE == pytest.approx(0.4, rel=0.1)  # exponential


def test_half_of_short_sounds_begin_later() -> None:
    first = [onsets(seed, RATE)[0] for seed in range(400)]
    assert np.mean(np.array(first) > 0) == pytest.approx(0.5, abs=0.07)
    assert max(first) <= RATE - 10


def test_a_sound_is_cut_where_the_window_ends() -> None:
    out = repeated(np.arange(1, 11, dtype=np.float32), 11, RATE, random.Random(1))
    assert len(out) == 11


@pytest.mark.parametrize(("octaves", "kept"), [(-1, 1), (0, 1), (0.25, 0.5), (0.5, 0), (1, 0)])
@pytest.mark.parametrize("rate", [8000, 16_000])
def test_the_lowpass_falls_to_nothing_in_half_an_octave(
    octaves: float, kept: float, rate: int
) -> None:
    frequency = 1000 * rate / 8000
    wave = tone(1000).astype(np.float32)
    cutoff = frequency / 2**octaves
    out = lowpass(np.stack([wave, -wave]), cutoff, rate)
    np.testing.assert_allclose(out, [kept * wave, -kept * wave], atol=2e-3)
    assert out.dtype == np.float32
