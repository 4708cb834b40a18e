"""PESQ: what is handed to the ITU's code, and what becomes of its refusals."""

from __future__ import annotations

import math

import numpy as np
import pesq as itu
import pytest

from sepcli.errors import ItemError
from sepcli.evaluation.metrics.pesq import evaluate, pesq
from sepcli.evaluation.metrics.resampling import resampled
from sepcli.evaluation.scene import Array, Scene


def noise(samples: int, level: float = 0.03) -> tuple[Array, Array]:
    """Noise, and the same in other noise, mono."""
    x, n = 0.1 * np.random.default_rng(0).standard_normal((2, 1, samples))
    return x, x + level / 0.1 * n


@pytest.mark.parametrize(("mode", "rate"), [("nb", 8000), ("wb", 16000)])
def test_short_items_are_scored_whole(mode: str, rate: int) -> None:
    x, y = noise(rate)
    expected = itu.pesq(rate, x[0], y[0], mode)
    assert 1 < expected < 4.5
    assert pesq(x, y, rate, mode) == pytest.approx(expected)
    assert pesq(np.repeat(x, 2, axis=0), np.concatenate([x, 2 * y - x]), rate, mode) == (
        pytest.approx(expected)
    )  # the mean of the channels
    assert pesq(x, 0.5 * y, rate, mode) == pytest.approx(expected, abs=0.02)  # deaf to gain


def test_other_rates_are_resampled() -> None:
    x, y = noise(44100)
    moved = [resampled(z, 44100, 16000)[0] for z in (x, y)]
    assert pesq(x, y, 44100, "wb") == pytest.approx(itu.pesq(16000, *moved, "wb"))


@pytest.mark.parametrize(("mode", "best"), [("nb", 4.549), ("wb", 4.644)])
def test_perfect(mode: str, best: float) -> None:
    x, _ = noise(16000)
    assert pesq(x, x, 16000, mode) == pytest.approx(best, abs=0.001)


def test_what_is_undefined() -> None:
    x, y = noise(16000)
    assert math.isnan(pesq(0 * x, y, 16000, "wb"))
    assert math.isnan(pesq(x, 0 * y, 16000, "wb"))
    assert math.isnan(pesq(0 * x, 0 * y, 16000, "wb"))
    assert math.isnan(pesq(x[:, :3000], y[:, :3000], 16000, "wb"))


def test_long_items_are_cut_into_equal_parts_and_silent_ones_skipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """21 s are two parts of 10.5 s; 20 s are one."""
    seen: list[int] = []

    def record(rate: int, x: Array, y: Array, mode: str) -> float:
        seen.append(len(x))
        return 2.0 if len(seen) % 2 else 3.0

    monkeypatch.setattr(itu, "pesq", record)
    x = np.ones((1, 8000 * 21))
    assert pesq(x, x, 8000, "nb") == pytest.approx(2.5)
    assert seen == [84_000, 84_000]
    half = x.copy()
    half[:, 84_000:] = 0
    assert pesq(x, half, 8000, "nb") == 2
    assert seen[2:] == [84_000]
    assert pesq(x[:, : 8000 * 20], x[:, : 8000 * 20], 8000, "nb") == 3
    assert seen[3:] == [160_000]


def test_scenes() -> None:
    x, y = noise(16000)
    scene = Scene(16000, ("a", "b"), np.stack([x, 0 * x]), np.stack([y, y]), x)
    scores = evaluate(scene)
    for mode in ("nb", "wb"):
        expected = [pesq(x, y, 16000, mode), math.nan]
        assert scores[f"pesq_{mode}"] == pytest.approx(expected, nan_ok=True)
    assert scores["pesq_nb"][0] != scores["pesq_wb"][0]


def test_what_cannot_be_compared() -> None:
    with pytest.raises(ItemError, match="differ in shape"):
        pesq(np.ones((1, 9)), np.ones((1, 8)), 8000, "nb")
