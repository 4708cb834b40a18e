"""AuraSTFT against its definition in torch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from sepcli.errors import ItemError
from sepcli.evaluation.metrics.aura_stft import aura_stft, evaluate
from sepcli.evaluation.scene import Array, Scene


def with_torch(reference: Array, estimate: Array) -> float:
    """STFTLoss with its defaults, the estimate taken as the target."""
    window = torch.hann_window(1024, dtype=torch.float64)
    x, y = (
        torch.stft(torch.from_numpy(z), 1024, 256, window=window, return_complex=True)
        .abs()
        .square()
        .clamp(min=1e-8)
        .sqrt()
        for z in (reference, estimate)
    )
    convergence = torch.norm(y - x, p="fro") / torch.norm(y, p="fro")
    return 100 / (1 + 10 * float(convergence + (x.log() - y.log()).abs().mean()))


def test_equal_to_its_definition() -> None:
    s, n = np.random.default_rng(0).standard_normal((2, 2, 10_000))
    s[1] *= 1e-5  # below the smallest magnitude
    for e in (s + 0.1 * n, 0.5 * s, n):
        assert aura_stft(s, e) == pytest.approx(with_torch(s, e))


def test_a_gain_against_a_closed_form() -> None:
    """At half the level: | 2 - 1 | / 1 of convergence, ln 2 of log distance."""
    s = np.random.default_rng(0).standard_normal((1, 10_000))
    assert aura_stft(s, 0.5 * s) == pytest.approx(100 / (1 + 10 * (1 + math.log(2))))
    assert aura_stft(s, 2 * s) == pytest.approx(100 / (1 + 10 * (0.5 + math.log(2))))


def test_perfect_silent_and_short() -> None:
    s = np.random.default_rng(0).standard_normal((1, 513))
    assert aura_stft(s, s) == 100
    assert aura_stft(0 * s, 0 * s) == 100
    assert aura_stft(s, 0 * s) < 1
    assert math.isnan(aura_stft(s[:, :512], s[:, :512]))


def test_scenes() -> None:
    s, n = np.random.default_rng(0).standard_normal((2, 2, 5000))
    scene = Scene(44100, ("a", "b"), np.stack([s, n]), np.stack([s, s]), s + n)
    assert evaluate(scene)["aura_stft"] == pytest.approx([100, aura_stft(n, s)])


def test_what_cannot_be_compared() -> None:
    with pytest.raises(ItemError, match="differ in shape"):
        aura_stft(np.ones((1, 9)), np.ones((1, 8)))
