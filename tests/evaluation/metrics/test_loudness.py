"""Loudness error against the standard's own test tone and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sepcli.errors import ItemError
from sepcli.evaluation.metrics.loudness import evaluate, integrated, loudness_error
from sepcli.evaluation.scene import Array, Scene

RATE = 48000


def tone(seconds: float = 1.0, level: float = 1.0) -> Array:
    """BS.1770's 997 Hz, (1, samples)."""
    return level * np.sin(2 * np.pi * 997 * np.arange(round(RATE * seconds)) / RATE)[None]


def test_a_full_scale_sine_measures_minus_3_01() -> None:
    assert integrated(tone(), RATE) == pytest.approx(-3.01, abs=0.05)


def test_channels_add_up_with_the_standards_weights() -> None:
    one = integrated(tone(), RATE)
    assert integrated(np.repeat(tone(), 2, axis=0), RATE) == pytest.approx(one + 3.01, abs=0.01)
    surround = np.zeros((5, RATE))
    surround[3] = tone()
    assert integrated(surround, RATE) == pytest.approx(one + 10 * math.log10(1.41), abs=0.01)


@pytest.mark.parametrize("gain_db", [-6.0, 3.0])
def test_the_error_is_the_gain_and_positive_if_too_loud(gain_db: float) -> None:
    s = tone(level=0.1)
    assert loudness_error(s, s * 10 ** (gain_db / 20), RATE) == pytest.approx(gain_db)


def test_what_has_no_loudness() -> None:
    s, short = tone(level=0.1), tone(0.39)
    assert integrated(0 * s, RATE) == -math.inf
    for pair in ((s, 0 * s), (0 * s, s), (0 * s, 0 * s), (short, short)):
        assert math.isnan(loudness_error(*pair, RATE))
    assert loudness_error(tone(0.4), tone(0.4), RATE) == 0


def test_six_channels_have_no_weights() -> None:
    with pytest.raises(ItemError, match="5 channels, not 6") as refusal:
        loudness_error(np.ones((6, RATE)), np.ones((6, RATE)), RATE)
    assert "--metrics" in refusal.value.remedy


def test_scenes() -> None:
    s = np.stack([tone(level=0.1), tone(level=0.2)])
    scores = evaluate(Scene(RATE, ("a", "b"), s, s * np.array([[[2.0]], [[0.0]]]), s.sum(axis=0)))
    assert scores["loudness_error"] == pytest.approx([20 * math.log10(2), math.nan], nan_ok=True)
