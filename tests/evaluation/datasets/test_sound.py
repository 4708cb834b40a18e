"""Tracks, parts of them, and mono."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.errors import ItemError
from sepcli.evaluation.datasets.sound import Sound, Track, fitted, read_sound


def test_a_file_in_float64() -> None:
    wave = np.random.default_rng(0).uniform(-1, 1, (1000, 3)).astype(np.float32)
    soundfile.write("a.wav", wave, 8000, "FLOAT")
    sound = read_sound(Track(Path("a.wav")))
    assert (sound.rate, sound.wave.dtype) == (8000, np.float64)
    np.testing.assert_array_equal(sound.wave, wave.T)


def test_a_part_begins_and_ends_at_whole_samples_before_its_times() -> None:
    soundfile.write("a.wav", np.arange(1000) / 1024, 1000, "FLOAT")
    part = read_sound(Track(Path("a.wav")), 0.1009, 0.2009)
    np.testing.assert_array_equal(part.wave[0] * 1024, np.arange(100, 200))


def test_nothing_there() -> None:
    soundfile.write("a.wav", np.zeros(10), 1000)
    with pytest.raises(ItemError, match=r"no samples in a\.wav"):
        read_sound(Track(Path("a.wav")), 1.0)


def test_mono_is_the_mean_at_another_rate() -> None:
    time = np.arange(32_000) / 32_000
    tone = np.sin(2 * np.pi * 1000 * time)
    sound = Sound(Track(Path()), 32_000, np.stack([tone, 0.5 * tone]))
    np.testing.assert_allclose(sound.mono(32_000), 0.75 * tone)
    low = sound.mono(16_000)
    assert len(low) == 16_000
    np.testing.assert_allclose(low[1000:-1000], 0.75 * tone[::2][1000:-1000], atol=1e-5)


def test_fitted() -> None:
    wave = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(fitted(wave, 5), [[0, 1, 2, 0, 0], [3, 4, 5, 0, 0]])
    np.testing.assert_array_equal(fitted(wave, 2), [[0, 1], [3, 4]])
    np.testing.assert_array_equal(fitted(wave[0], 4), [0, 1, 2, 0])
