"""Fréchet audio distance against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from heard_levels import RATE, Levels, wave
from scipy.linalg import sqrtm

from sepcli.errors import ItemError
from sepcli.evaluation.metrics import fad
from sepcli.evaluation.metrics.fad import FadAccumulator, Gaussian, frechet_distance


def covariance(dimension: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((3 * dimension, dimension))
    return rows.T @ rows / len(rows)


def test_a_distance_to_itself_is_zero() -> None:
    mean, cov = np.arange(16.0), covariance(16, 0)
    assert frechet_distance(mean, cov, mean, cov) == pytest.approx(0, abs=1e-12)


def test_a_shifted_mean() -> None:
    cov = covariance(8, 0)
    shift = np.linspace(-1, 2, 8)
    distance = frechet_distance(shift, cov, np.zeros(8), cov)
    assert distance == pytest.approx((shift**2).sum(), rel=1e-12)


def test_a_scaled_covariance() -> None:
    """C and s^2 C: (1 - s)^2 tr C."""
    mean, cov = np.ones(8), covariance(8, 0)
    distance = frechet_distance(mean, cov, mean, 9 * cov)
    assert distance == pytest.approx(4 * np.trace(cov), rel=1e-12)


def test_covariances_that_do_not_commute() -> None:
    one, two = covariance(12, 0), covariance(12, 1)
    expected = np.trace(one) + np.trace(two) - 2 * np.trace(sqrtm(one @ two)).real
    distance = frechet_distance(np.zeros(12), one, np.zeros(12), two)
    assert distance == pytest.approx(expected, rel=1e-9)
    assert distance == pytest.approx(frechet_distance(np.zeros(12), two, np.zeros(12), one))


def test_singular_covariances() -> None:
    """Along two axes that have nothing in common: the sum of both variances."""
    one, two = np.diag([4.0, 0, 0]), np.diag([0.0, 9, 0])
    assert frechet_distance(np.zeros(3), one, np.zeros(3), two) == pytest.approx(13)


def test_identical_sets_and_shifted_sets() -> None:
    samples = np.random.default_rng(0).standard_normal((40, 64))  # fewer than dimensions
    assert fad.fad(samples, samples.copy()) == pytest.approx(0, abs=1e-9)
    assert fad.fad(samples, samples + 0.5) == pytest.approx(64 * 0.25, rel=1e-9)
    assert fad.fad(samples, 3 * (samples - samples.mean(0)) + samples.mean(0)) == pytest.approx(
        4 * samples.var(axis=0, ddof=1).sum()
    )


def test_statistics_of_batches_are_those_of_the_whole() -> None:
    samples = 1e6 + np.random.default_rng(0).standard_normal((101, 5))
    whole = Gaussian(5)
    for batch in np.split(samples, [0, 1, 40]):
        whole.add(batch)
    assert whole.count == 101
    np.testing.assert_allclose(whole.mean, samples.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(whole.covariance, np.cov(samples.T), rtol=1e-8, atol=1e-8)


def test_one_sample_has_no_covariance() -> None:
    single = Gaussian(2)
    single.add(np.ones((1, 2)))
    with pytest.raises(ValueError, match="1 samples"):
        _ = single.covariance


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.ones((1, 4)), "2 or more"),
        (np.ones(4), "2 or more"),
        (np.full((5, 4), np.nan), "NaN"),
        (np.ones((5, 3)), "4 and 3 dimensions"),
    ],
)
def test_what_has_no_distance_is_refused(bad: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fad.fad(np.random.default_rng(0).standard_normal((5, 4)), bad)


def test_infinity_takes_the_bias_off() -> None:
    """Estimates from the references' own distribution: FAD falls as 1 / N, to zero."""
    rng = np.random.default_rng(0)
    truth = Gaussian(20)
    truth.count, truth.scatter = 2, np.eye(20)  # mean 0, covariance 1, exactly
    samples = rng.standard_normal((2000, 20))
    plain = fad.between(truth, fad.gaussian(samples))
    extrapolated = fad.fad_infinity(truth, samples)
    # To first order in 1/N the mean adds d / N, the covariance d (d + 1) / 4 N.
    assert plain == pytest.approx((20 + 20 * 21 / 4) / 2000, rel=0.25)
    assert abs(extrapolated) < plain / 5
    assert extrapolated == fad.fad_infinity(truth, samples)


def test_infinity_keeps_a_true_distance() -> None:
    truth = Gaussian(4)
    truth.count, truth.scatter = 2, np.eye(4)
    samples = 1 + 2 * np.random.default_rng(0).standard_normal((4000, 4))
    assert fad.fad_infinity(truth, samples) == pytest.approx(4 + 4, rel=0.05)
    assert math.isnan(fad.fad_infinity(truth, samples[:49]))
    assert math.isfinite(fad.fad_infinity(truth, samples[:50]))


def angle(degrees: float, samples: int = RATE // 10) -> np.ndarray:
    return wave(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), samples)


def test_a_set_of_waves() -> None:
    angles = np.linspace(10, 50, 60)
    figures = fad.score_set(((angle(a), angle(a + 30)) for a in angles), RATE, Levels())
    rows = [np.array([[math.cos(t), math.sin(t)] for t in np.radians(angles + s)]) for s in (0, 30)]
    assert figures["fad"] == pytest.approx(fad.fad(*rows), rel=1e-5)
    assert math.isfinite(figures["fad_infinity"])
    assert (figures["fad_references"], figures["fad_estimates"]) == (60, 60)
    assert figures["fad_few"] == 1


def test_shuffled_estimates_score_zero() -> None:
    angles = np.linspace(10, 50, 10)
    pairs = ((angle(a), angle(b)) for a, b in zip(angles, angles[::-1], strict=True))
    assert fad.score_set(pairs, RATE, Levels())["fad"] == pytest.approx(0, abs=1e-9)


def test_silence_is_left_out() -> None:
    accumulator = FadAccumulator(Levels())
    accumulator.add(angle(10), 0 * angle(10), RATE)
    figures = accumulator.result()
    assert math.isnan(figures["fad"])
    assert (figures["fad_references"], figures["fad_estimates"]) == (1, 0)


def test_windows_of_long_signals_are_samples() -> None:
    accumulator = FadAccumulator(Levels())
    accumulator.add(angle(10, 21 * RATE), angle(20, 21 * RATE), RATE)
    assert accumulator.result()["fad_references"] == 3


def test_a_thousand_samples_are_not_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fad, "FEW", 3)
    accumulator = FadAccumulator(Levels())
    for degrees in (10, 20, 30):
        assert accumulator.result()["fad_few"] == 1
        accumulator.add(angle(degrees), angle(degrees), RATE)
    assert accumulator.result()["fad_few"] == 0


def test_fewer_samples_than_dimensions_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fad, "FEW", 1)
    accumulator = FadAccumulator(Levels())
    accumulator.add(angle(10), angle(10), RATE)
    assert accumulator.result()["fad_few"] == 1


def test_the_shipped_encoder_is_the_default() -> None:
    rng = np.random.default_rng(0)
    accumulator = FadAccumulator()
    for _ in range(3):
        noise = rng.standard_normal((1, 3200))
        accumulator.add(noise, np.cumsum(noise, axis=1), 16_000)
    assert accumulator.result()["fad"] > 0.01


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ItemError):
        FadAccumulator(Levels()).add(angle(10), angle(10, 7), RATE)
