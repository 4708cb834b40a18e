"""L1Freq against its definition in torch, and a closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from sepcli.errors import ItemError
from sepcli.evaluation.metrics.l1_freq import evaluate, l1_freq
from sepcli.evaluation.scene import Array, Scene


def with_torch(reference: Array, estimate: Array) -> float:
    """The definition: torch.stft without a window, and torch's mean absolute difference."""
    window = torch.ones(2048, dtype=torch.float64)
    s, e = (
        torch.stft(torch.from_numpy(x), 2048, 1024, window=window, return_complex=True).abs()
        for x in (reference, estimate)
    )
    return 100 / (1 + 10 * float(torch.nn.functional.l1_loss(e, s)))


def test_equal_to_its_definition() -> None:
    s, n = np.random.default_rng(0).standard_normal((2, 2, 10_000))
    assert l1_freq(s, s + 0.1 * n) == pytest.approx(with_torch(s, s + 0.1 * n))
    assert l1_freq(0.01 * s, 0.01 * n) == pytest.approx(with_torch(0.01 * s, 0.01 * n))


def test_a_constant() -> None:
    """All its magnitude, 2048 c, is in the first of 1025 bins."""
    s, e = np.full((1, 4096), 0.1), np.full((1, 4096), 0.12)
    expected = 100 / (1 + 10 * 0.02 * 2048 / 1025)
    assert l1_freq(s, e) == pytest.approx(expected)


def test_perfect_silent_and_short() -> None:
    s = np.random.default_rng(0).standard_normal((1, 1025))
    assert l1_freq(s, s) == 100
    assert l1_freq(0 * s, 0 * s) == 100
    assert l1_freq(s, -s) == pytest.approx(100)  # blind to polarity
    assert math.isfinite(l1_freq(0 * s, s))
    assert math.isnan(l1_freq(s[:, :1024], s[:, :1024]))


def test_level_matters() -> None:
    """What the header warns of: both 40 dB down look far better."""
    s, n = np.random.default_rng(0).standard_normal((2, 1, 5000))
    assert l1_freq(0.01 * s, 0.01 * (s + n)) > l1_freq(s, s + n) + 10


def test_scenes() -> None:
    s, n = np.random.default_rng(0).standard_normal((2, 2, 5000))
    scene = Scene(44100, ("a", "b"), np.stack([s, n]), np.stack([s, s]), s + n)
    assert evaluate(scene)["l1_freq"] == pytest.approx([100, l1_freq(n, s)])


def test_what_cannot_be_compared() -> None:
    with pytest.raises(ItemError, match="differ in shape"):
        l1_freq(np.ones((1, 9)), np.ones((1, 8)))
