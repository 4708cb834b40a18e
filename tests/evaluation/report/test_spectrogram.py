"""Spectrograms show a tone where it is, as loud as it is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib import image

from sepcli.evaluation.report import spectrogram
from sepcli.evaluation.scene import Array

RATE = 32_000
BIN = 32_000 / 2048  # Hz


def tone(hertz: float, seconds: float = 2.0, rate: int = RATE) -> Array:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)[None]


@pytest.mark.parametrize("hertz", [100.0, 440.0, 1000.0, 6000.0])
def test_a_tone_is_brightest_at_its_frequency(hertz: float) -> None:
    middle = spectrogram.levels(tone(hertz), RATE)[:, spectrogram.COLUMNS // 2]
    octaves = np.log(spectrogram.highest(RATE) / spectrogram.LOWEST)
    at = (np.argmax(middle) + 0.5) / spectrogram.LINES
    found = spectrogram.LOWEST * np.exp(at * octaves)
    line = hertz * octaves / spectrogram.LINES
    assert abs(found - hertz) <= max(BIN, line)


def test_levels_follow_the_gain_and_the_time() -> None:
    wave = tone(1000.0)
    quiet = np.concatenate([wave[:, :RATE], 0.1 * wave[:, RATE:]], axis=1)
    levels = spectrogram.levels(quiet, RATE).max(axis=0)
    assert levels[100] - levels[300] == pytest.approx(20.0, abs=0.01)
    assert levels[100] == pytest.approx(spectrogram.levels(wave, RATE).max(axis=0)[100], abs=0.01)


def test_a_band_holds_the_power_of_white_noise_in_it() -> None:
    """Of unit variance, a bin's expected power is sum(w^2) / sum(w)^2 = 1.5 / window."""
    noise = np.random.default_rng(0).normal(size=(1, 8 * RATE))
    power = 10 ** (spectrogram.levels(noise, RATE)[60:] / 10)
    window = 2 * 2 ** round(np.log2(spectrogram.WINDOW * RATE / 2))
    assert float(power.mean()) == pytest.approx(1.5 / window, rel=0.05)


def _read(png: bytes) -> np.ndarray:
    return image.imread(io.BytesIO(png), format="png")


def test_pictures_share_one_scale() -> None:
    loud, quiet = spectrogram.pictures([tone(1000.0), 10 ** (-35 / 20) * tone(1000.0)], RATE)
    shape = (spectrogram.LINES, spectrogram.COLUMNS)
    assert _read(loud).shape[:2] == _read(quiet).shape[:2] == shape
    brightest = [_read(png)[..., :3].sum(axis=-1).max() for png in (loud, quiet)]
    palette = np.frombuffer(spectrogram._palette(), np.uint8).reshape(-1, 3).sum(axis=1) / 255
    assert brightest[0] == pytest.approx(palette[-1], abs=1e-5)
    assert brightest[1] == pytest.approx(palette[31:33].mean(), abs=0.05)  # half of 70 dB


def test_low_frequencies_are_at_the_bottom() -> None:
    (png,) = spectrogram.pictures([tone(100.0)], RATE)
    bright = _read(png)[:, 200, :3].sum(axis=-1)
    assert int(np.argmax(bright)) > 0.75 * spectrogram.LINES


def test_silence_and_a_single_sample_have_pictures() -> None:
    for wave in (np.zeros((2, RATE)), np.ones((1, 1))):
        (png,) = spectrogram.pictures([wave], RATE)
        assert _read(png).shape[:2] == (spectrogram.LINES, spectrogram.COLUMNS)


def test_the_palette_grows_lighter() -> None:
    palette = np.frombuffer(spectrogram._palette(), np.uint8).reshape(-1, 3) @ [0.3, 0.59, 0.11]
    assert np.all(np.diff(palette) > 0)
