"""STOI and ESTOI against pystoi, and what they are defined to ignore."""

from __future__ import annotations

import math

import numpy as np
import pystoi
import pytest

from sepcli.errors import ItemError
from sepcli.evaluation.metrics.stoi import (
    band_matrix,
    estoi,
    evaluate,
    frame_count,
    frames,
    stoi,
    to_10_khz,
    without_silence,
)
from sepcli.evaluation.scene import Array, Scene


def speech_like(rate: int, seconds: float = 1.5, snr_db: float = 5.0) -> tuple[Array, Array]:
    """Noise that comes and goes, with a pause at the end, and the same in other noise."""
    rng = np.random.default_rng(0)
    time = np.arange(round(rate * seconds)) / rate
    x = rng.standard_normal(len(time)) * (np.sin(2 * np.pi * 3 * time) ** 2 + 1e-4)
    x *= time < 0.8 * seconds
    return x, x + 10 ** (-snr_db / 20) * np.std(x) * rng.standard_normal(len(x))


@pytest.mark.parametrize("rate", [8000, 10_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("snr_db", [20.0, 0.0, -15.0])
def test_equal_to_pystoi(rate: int, snr_db: float) -> None:
    x, y = speech_like(rate, snr_db=snr_db)
    assert stoi(x, y, rate) == pytest.approx(pystoi.stoi(x, y, rate), abs=1e-12)
    assert estoi(x, y, rate) == pytest.approx(pystoi.stoi(x, y, rate, extended=True), abs=1e-12)


def test_perfect_and_silent_estimates() -> None:
    x, y = speech_like(10_000)
    assert stoi(x, x, 10_000) == pytest.approx(1)
    assert estoi(x, x, 10_000) == pytest.approx(1)
    assert stoi(x, 0 * x, 10_000) == 0
    assert estoi(x, 0 * x, 10_000) == 0
    assert stoi(x, 0.1 * y, 10_000) == pytest.approx(stoi(x, y, 10_000))  # deaf to gain


def test_what_is_undefined() -> None:
    x, y = speech_like(10_000)
    assert math.isnan(stoi(0 * x, y, 10_000))
    assert math.isnan(estoi(0 * x, y, 10_000))
    opposite = np.stack([x, -x])  # their mean is silent
    assert math.isnan(stoi(opposite, opposite, 10_000))
    short = 256 + 29 * 128  # 29 frames: the 30th would end with the signal
    loud, noisy = np.random.default_rng(0).standard_normal((2, short + 1))
    assert math.isnan(stoi(loud[:short], noisy[:short], 10_000))
    assert math.isnan(stoi(x[:100], y[:100], 10_000))


def test_thirty_frames_are_enough() -> None:
    """Joined frames are as long as the signal they came from, less what no frame started in."""
    loud, noisy = np.random.default_rng(0).standard_normal((2, 256 + 30 * 128 + 1))
    assert frame_count(len(loud)) == 31
    assert math.isfinite(stoi(loud, noisy, 10_000))


def test_channels_are_averaged() -> None:
    x, y = speech_like(10_000)
    stereo = np.stack([x, x]), np.stack([2 * y - x, x])
    assert stoi(*stereo, 10_000) == pytest.approx(stoi(x, y, 10_000))


def test_frames_leave_out_the_last() -> None:
    assert [frame_count(n) for n in (0, 256, 257, 384, 385)] == [0, 0, 1, 1, 2]
    assert frames(np.ones(256)).shape == (0, 256)
    assert frames(np.ones(385)).shape == (2, 256)


def test_silence_is_taken_out_of_both() -> None:
    """Noise, a pause 60 dB down, noise: only frames of the reference decide."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 128 * 40))
    x[128 * 10 : 128 * 30] *= 1e-3
    kept, also = without_silence(x, y)
    whole, _ = without_silence(y, y)
    assert len(kept) == len(also)
    # 19 frames lie within the 20 hops of the pause.
    assert len(whole) - len(kept) == 19 * 128
    # Half-overlapping Hann windows of 256 samples, of which 258 - 2 are used, add up to about 1.
    assert kept[128:1000] == pytest.approx(x[128:1000], abs=0.05)


def test_bands() -> None:
    bands = band_matrix()
    assert bands.shape == (15, 257)
    assert bands.sum(axis=0).max() == 1  # no bin belongs to two bands
    hz = np.arange(257) * 10_000 / 512
    assert hz[bands.any(axis=0)][[0, -1]] == pytest.approx([136.7, 4257.8], abs=0.1)
    assert hz[bands[9] > 0].mean() == pytest.approx(1200, abs=20)  # 150 Hz and three octaves


def test_resampling_keeps_low_tones_and_removes_high_ones() -> None:
    time = np.arange(48_000) / 48_000
    low = to_10_khz(np.sin(2 * np.pi * 1000 * time), 48_000)
    expected = np.sin(2 * np.pi * 1000 * np.arange(10_000) / 10_000)
    assert low[500:-500] == pytest.approx(expected[500:-500], abs=2e-3)
    high = to_10_khz(np.sin(2 * np.pi * 6000 * time), 48_000)
    assert np.abs(high[500:-500]).max() < 2e-3


def test_scenes() -> None:
    x, y = speech_like(16_000)
    references = np.stack([x, 0 * x])[:, None]
    scene = Scene(16_000, ("a", "b"), references, np.stack([y, y])[:, None], x[None])
    scores = evaluate(scene)
    assert scores["stoi"] == pytest.approx([stoi(x, y, 16_000), math.nan], nan_ok=True)
    assert scores["estoi"] == pytest.approx([estoi(x, y, 16_000), math.nan], nan_ok=True)


def test_what_cannot_be_compared() -> None:
    with pytest.raises(ItemError, match="differ in shape"):
        stoi(np.ones(9), np.ones(8), 8000)
