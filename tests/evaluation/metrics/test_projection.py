"""Projections against least squares on the delayed signals themselves."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from sepcli.evaluation.metrics import projection
from sepcli.evaluation.metrics.correlations import correlations
from sepcli.evaluation.metrics.projection import IllConditioned, Projection, gram
from sepcli.evaluation.scene import Array

TAPS = 12


def delays(signals: Array, taps: int = TAPS) -> Array:
    """The basis, (signals taps, samples + taps - 1)."""
    rows = [np.pad(x, (a, taps - 1 - a)) for x in signals for a in range(taps)]
    return np.array(rows)


def projected(signals: Array, target: Array) -> tuple[float, Array]:
    """Energy of the projection and its filters, by Householder, not by normal equations."""
    basis = delays(signals)
    filters = np.linalg.lstsq(basis.T, np.pad(target, (0, TAPS - 1)), rcond=None)[0]
    return float(np.square(filters @ basis).sum()), filters.reshape(len(signals), TAPS)


@pytest.fixture
def signals() -> Array:
    return np.random.default_rng(2).standard_normal((3, 300))


def of(signals: Array) -> Projection:
    return Projection(correlations([*signals], [*signals], TAPS))


def test_gram_matrix(signals: Array) -> None:
    basis = delays(signals)
    ours = gram(correlations([*signals], [*signals], TAPS))
    np.testing.assert_allclose(ours, basis @ basis.T, atol=1e-10)


def test_energies_and_filters(signals: Array) -> None:
    targets = np.random.default_rng(3).standard_normal((2, 300)) + signals[:2]
    cross = correlations([*signals], [*targets], TAPS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = of(signals)
    for at, target in enumerate(targets):
        energy, filters = projected(signals, target)
        assert ours.energies(cross)[at] == pytest.approx(energy, rel=1e-12)
        np.testing.assert_allclose(ours.filters(cross)[:, at], filters, atol=1e-12)


def test_levels_do_not_make_dependence(signals: Array) -> None:
    """A source 200 dB down has its full share."""
    levels = np.array([[1e-10], [1.0], [1e5]])
    quiet = signals * levels
    filtered = np.convolve(quiet[0], [0, 0, 3.0])[:300]
    cross = correlations([*quiet], [filtered], TAPS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = of(quiet)
    np.testing.assert_allclose(ours.filters(cross)[0, 0, 2], 3, rtol=0.05)
    np.testing.assert_allclose(
        ours.filters(cross)[:, 0] * levels,
        of(signals).filters(correlations([*signals], [filtered], TAPS))[:, 0],
        atol=1e-20,
    )


def test_silence_spans_nothing(signals: Array) -> None:
    target = signals[1] + 0.3 * signals[2]
    with_silence = np.array([signals[0], 0 * signals[0], signals[1]])
    without = signals[:2]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = of(with_silence)
    cross = correlations([*with_silence], [target], TAPS)
    expected = of(without).energies(correlations([*without], [target], TAPS))
    np.testing.assert_allclose(ours.energies(cross), expected, rtol=1e-12)
    assert not ours.filters(cross)[1].any()


def test_all_silent() -> None:
    silence = np.zeros((2, 50))
    cross = correlations([*silence], [np.ones(50)], TAPS)
    assert of(silence).energies(cross) == [0]


def test_dependent_signals_are_warned_of_and_projected_on(signals: Array) -> None:
    twice = np.array([signals[0], 2 * signals[0], signals[1]])
    target = signals[0] + 0.3 * signals[2]
    with pytest.warns(IllConditioned, match="nearly dependent"):
        ours = of(twice)
    energy = ours.energies(correlations([*twice], [target], TAPS))
    assert energy[0] == pytest.approx(projected(signals[:2], target)[0], rel=1e-9)


def test_what_no_loading_cures(signals: Array, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "LOADINGS", (0.0,))
    not_correlations = correlations([*signals], [*signals], TAPS)
    not_correlations[0, 1, 0] = not_correlations[1, 0, 0] = 1000
    with pytest.raises(ArithmeticError, match="positive definite"):
        Projection(not_correlations)
