"""Correlations by blocks against the sum that defines them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from sepcli.evaluation.metrics.correlations import BLOCKS, Correlator, across, correlations
from sepcli.evaluation.scene import Array


def by_definition(x: Array, y: Array, lags: int) -> Array:
    later = [[[a[: len(a) - lag] @ b[lag:] for lag in range(lags)] for b in y] for a in x]
    return np.array(later)


@pytest.fixture
def signals() -> tuple[Array, Array]:
    rng = np.random.default_rng(1)
    return rng.standard_normal((3, 4001)), rng.standard_normal((2, 4001))


@pytest.mark.parametrize("samples", [40, 113, 4001])
@pytest.mark.parametrize("lags", [1, 2, 16, 33])
def test_definition(signals: tuple[Array, Array], samples: int, lags: int) -> None:
    x, y = (each[:, :samples] for each in signals)
    expected = by_definition(x, y, lags)
    assert expected.shape == (3, 2, lags)
    np.testing.assert_allclose(correlations([*x], [*y], lags), expected, atol=1e-10)


def test_a_delay_stands_at_its_lag() -> None:
    x, y = np.zeros((2, 1, 50))
    x[0, 20], y[0, 27] = 2, 3
    expected = np.zeros(16)
    expected[7] = 6
    np.testing.assert_allclose(correlations([*x], [*y], 16)[0, 0], expected, atol=1e-12)
    np.testing.assert_allclose(correlations([*y], [*x], 16), 0, atol=1e-12)


def test_memory_does_not_grow_with_length() -> None:
    short, long = (Correlator(2, 4, samples, 16) for samples in (10_000, 10_000_000))
    assert long.blocks <= BLOCKS
    assert long.size == short.size
    assert long.x.size <= BLOCKS / short.blocks * short.x.size


def test_a_correlator_forgets(signals: tuple[Array, Array]) -> None:
    x, y = signals
    correlate = Correlator(3, 2, 4001, 16)
    correlate([*-x], [*(2 * y)])
    np.testing.assert_array_equal(correlate([*x], [*y]), correlations([*x], [*y], 16))


@pytest.mark.parametrize("borders", [(1000, 2000), (1000, 1003, 1010, 4000), (5,)])
def test_pieces_and_what_their_borders_part(
    signals: tuple[Array, Array], borders: tuple[int, ...]
) -> None:
    """Also pieces that are shorter than the longest lag."""
    x, y = signals
    edges = [0, *borders, 4001]
    pieces = [slice(a, b) for a, b in pairwise(edges)]
    own = sum(correlations([*x[:, p]], [*y[:, p]], 16) for p in pieces)
    parted = across([*x], [*y], pieces, 16)
    assert np.abs(parted).max() > 1
    np.testing.assert_allclose(own + parted, by_definition(x, y, 16), atol=1e-10)
