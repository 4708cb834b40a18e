"""Scenes that metrics are tested on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sepcli.evaluation.scene import Array, Scene

MakeScene = Callable[..., Scene]


@pytest.fixture
def orthogonal() -> tuple[Array, Array]:
    """Two orthogonal stereo signals of equal energy, (channels, samples)."""
    rng = np.random.default_rng(0)
    s, n = rng.standard_normal((2, 2, 4000))
    n -= (n * s).sum() / (s * s).sum() * s
    return s, n * np.sqrt((s * s).sum() / (n * n).sum())


@pytest.fixture
def make_scene() -> MakeScene:
    """Two noisy estimates of two sources."""

    def make(rate: int = 16000, seconds: float = 1.2, channels: int = 2, seed: int = 0) -> Scene:
        rng = np.random.default_rng(seed)
        shape = (2, channels, round(rate * seconds))
        references = 0.1 * rng.standard_normal(shape)
        references[1] *= 0.5
        estimates = references + 0.02 * rng.standard_normal(shape)
        stems, queries = ("voice", "rest"), {"voice": "a voice", "rest": "rain"}
        return Scene(rate, stems, references, estimates, references.sum(axis=0), queries)

    return make
