"""Windows in which there is nothing to hear: the network is spared, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

import sepcli
from sepcli.separation import silence
from sepcli.separation.report import Report

Linear = Callable[..., Path]
Noise = Callable[..., np.ndarray]

RATE = 8000
WINDOW, HOP = 2 * RATE, 10_000  # of the linear model
THRESHOLD = 10 ** (-100 / 20)


def separate(path: str, *queries: str, **options: object) -> Report:
    return sepcli.separate(path, queries, progress=False, overwrite=True, **options)  # type: ignore[arg-type]


def wave(path: str) -> np.ndarray:
    return soundfile.read(path, always_2d=True, dtype="float32")[0]


def calls(linear: Linear) -> int:
    """Windows that the last network heard."""
    return sum(linear.networks[-1].batches)  # type: ignore[attr-defined]


@pytest.fixture
def paused(noise: Noise) -> np.ndarray:
    """Three seconds of noise, ten of nothing, four of noise, in mix.wav."""
    mix = noise(seconds=17)
    mix[3 * RATE : 13 * RATE] = 0
    soundfile.write("mix.wav", mix, RATE, "FLOAT")
    return mix


@pytest.mark.parametrize("batch", [1, 3])
def test_the_network_hears_only_windows_with_sound(
    paused: np.ndarray, linear: Linear, batch: int
) -> None:
    separate("mix.wav", "a gain of 0.5", model=str(linear()), batch_size=batch)
    # The last window ends with the recording; the others are a hop apart.
    starts = [*range(0, len(paused) - WINDOW, HOP), len(paused) - WINDOW]
    loud = [start for start in starts if paused[start : start + WINDOW].any()]
    assert len(starts) > len(loud)
    assert calls(linear) == len(loud)
    np.testing.assert_allclose(wave("separated/mix.a-gain-of-0-5.wav"), 0.5 * paused, atol=1e-6)


def test_stems_are_those_of_a_network_that_hears_all(
    paused: np.ndarray, linear: Linear, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries, options = ("a gain of 0.3", "a gain of 0.6"), {"residual": True, "compete": True}
    separate("mix.wav", *queries, model=str(linear()), output="spared", **options)
    spared = calls(linear)
    monkeypatch.setattr(silence, "SILENT_PEAK", -1.0)
    separate("mix.wav", *queries, model=str(linear()), output="whole", **options)
    assert calls(linear) > spared
    for stem in Path("whole").iterdir():
        np.testing.assert_array_equal(wave(f"spared/{stem.name}"), wave(str(stem)))


@pytest.mark.parametrize(("peak", "heard"), [(0.99 * THRESHOLD, 0), (1.01 * THRESHOLD, 1)])
@pytest.mark.parametrize("sign", [1, -1])
def test_what_is_too_faint_stays_in_the_rest(
    linear: Linear, peak: float, heard: int, sign: int
) -> None:
    faint = np.zeros((RATE, 2), np.float32)
    faint[RATE // 2, 1] = sign * peak
    soundfile.write("mix.wav", faint, RATE, "FLOAT")
    separate("mix.wav", "a gain of 0.5", model=str(linear()), residual=True)
    assert calls(linear) == heard
    stem, rest = wave("separated/mix.a-gain-of-0-5.wav"), wave("separated/mix.residual.wav")
    np.testing.assert_array_equal(stem, 0.5 * heard * faint)
    np.testing.assert_array_equal(stem + rest, faint)


def test_nothing_is_present_in_silence(linear: Linear) -> None:
    soundfile.write("mix.wav", np.zeros((3 * RATE, 1)), RATE, "PCM_16")
    judging = str(linear(arguments={"presence": True}))
    query = "a gain of 0.5 with presence 0.9"
    report = separate("mix.wav", query, "a gain of 0.3", model=judging, negatives=("a gain of 1",))
    assert [stem["presence"] for stem in report.files["mix.wav"].outputs] == [0, 0]
    assert "seems not to be in this recording" in report.files["mix.wav"].notices[0]
    assert separate("mix.wav", query, model=judging, require_presence=True).exit_code == 1
    assert calls(linear) == 0


def test_a_pause_does_not_lower_a_presence(paused: np.ndarray, linear: Linear) -> None:
    query = "a gain of 0.5 with presence 0.9"
    report = separate("mix.wav", query, model=str(linear(arguments={"presence": True})))
    assert report.files["mix.wav"].outputs[0]["presence"] == pytest.approx(0.9)


def test_fixed_stems_of_silence(linear: Linear) -> None:
    soundfile.write("mix.wav", np.zeros((3 * RATE, 2)), RATE, "PCM_16")
    report = separate("mix.wav", model=str(linear(stems=["quarter", "half"])), residual=True)
    assert report.exit_code == 0
    assert calls(linear) == 0
    for name in ("quarter", "half", "residual"):
        np.testing.assert_array_equal(wave(f"separated/mix.{name}.wav"), np.zeros((3 * RATE, 2)))
