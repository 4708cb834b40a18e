"""ViSQOL: what is handed to the package, and what it cannot score."""

from __future__ import annotations

import math

import numpy as np
import pytest
from visqol import VisqolApi

from sepcli.errors import ItemError
from sepcli.evaluation.metrics.visqol import evaluate, visqol
from sepcli.evaluation.scene import Array, Scene

RATE = 48000


@pytest.fixture(scope="module")
def pair() -> tuple[Array, Array]:
    """One second of noise, and the same in other noise, stereo."""
    x, n = 0.1 * np.random.default_rng(0).standard_normal((2, 2, RATE))
    return x, x + 0.5 * n


def test_equal_to_the_package_on_the_downmix(pair: tuple[Array, Array]) -> None:
    model = VisqolApi()
    model.create(mode="audio")
    x, y = pair
    expected = model.measure_from_arrays(x.mean(axis=0), y.mean(axis=0), RATE).moslqo
    assert 2 < expected < 4.7
    scene = Scene(RATE, ("a", "b"), np.stack([x, 0 * x]), np.stack([y, y]), x)
    assert evaluate(scene)["visqol"] == pytest.approx([expected, math.nan], nan_ok=True)


def test_perfect_at_another_rate(pair: tuple[Array, Array]) -> None:
    x = pair[0][:1, :20_000]  # 1.25 s at 16 kHz, too short at 48
    assert visqol(x, x, 16000) == pytest.approx(4.732, abs=0.001)
    assert math.isnan(visqol(x, x, RATE))


def test_silence_has_no_quality(pair: tuple[Array, Array]) -> None:
    x, _ = pair
    assert math.isnan(visqol(0 * x, x, RATE))
    assert math.isnan(visqol(x, 0 * x, RATE))


def test_what_cannot_be_compared() -> None:
    with pytest.raises(ItemError, match="differ in shape"):
        visqol(np.ones((1, 9)), np.ones((1, 8)), RATE)
