"""Cross-correlation against sums written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sepcli.evaluation import alignment
from sepcli.evaluation.alignment import correlations, excerpts, total
from sepcli.evaluation.metrics.si_sdr import si_sdr

RATE = 200  # Hz: half a second is 100 samples


def moved(wave: np.ndarray, delay: int) -> np.ndarray:
    """Later, with silence before it; earlier, if negative."""
    late = np.zeros_like(wave)
    if delay >= 0:
        late[:, delay:] = wave[:, : wave.shape[-1] - delay]
    else:
        late[:, :delay] = wave[:, -delay:]
    return late


@pytest.mark.parametrize("samples", [60, 1000, 3700])
def test_it_is_the_sum_it_claims_to_be(samples: int) -> None:
    rng = np.random.default_rng(samples)
    s, e = rng.standard_normal((2, 2, samples))
    got = total(correlations(s, e, RATE))
    assert got.estimate == pytest.approx(np.square(e).sum())
    for delay in (-100, -7, 0, 1, 59, 100):
        shifted = moved(s, delay) if abs(delay) < samples else np.zeros_like(s)
        place = delay + 100
        assert got.products[place] == pytest.approx((e * shifted).sum(), abs=1e-9)
        assert got.references[place] == pytest.approx(np.square(shifted).sum(), abs=1e-9)


def test_a_fit_is_the_si_sdr_of_the_moved_reference() -> None:
    s, n = np.random.default_rng(0).standard_normal((2, 1, 900))
    e = 0.5 * moved(s, 13) + 0.2 * n
    fit = total(correlations(s, e, RATE)).best()
    assert fit.delay == 13
    assert fit.si_sdr == pytest.approx(si_sdr(moved(s, 13), e))
    shifted = moved(s, 13)
    assert fit.gain == pytest.approx((e * shifted).sum() / np.square(shifted).sum())
    assert fit.loudest == pytest.approx(np.square(e).sum() / (e * shifted).sum())
    assert fit.rest == pytest.approx(1 - fit.rho**2)


@given(st.integers(-100, 100), st.sampled_from([1.0, -1.0, 0.01]), st.integers(150, 3000))
@settings(max_examples=40, deadline=None)
def test_every_delay_is_found(delay: int, gain: float, samples: int) -> None:
    s = np.random.default_rng(samples).standard_normal((1, samples))
    fit = total(correlations(s, gain * moved(s, delay), RATE)).best()
    assert fit.delay == delay
    assert fit.rho == pytest.approx(math.copysign(1, gain))
    assert fit.gain == pytest.approx(gain)
    assert fit.rest == alignment.FLOOR


def test_of_equal_peaks_the_nearest_counts() -> None:
    s = np.tile([[1.0, 0, -1, 0]], 500)
    assert total(correlations(s, s, RATE)).best().delay == 0


def test_channels_count_together() -> None:
    s = np.random.default_rng(1).standard_normal((1, 800))
    opposite = np.concatenate([s, -s])
    assert total(correlations(opposite, moved(opposite, 5), RATE)).best().delay == 5


def test_silence_fits_nothing() -> None:
    s = np.random.default_rng(2).standard_normal((1, 300))
    for pair in [(s, 0 * s), (0 * s, s)]:
        fit = total(correlations(*pair, RATE)).best()
        assert (fit.rho, fit.gain, fit.loudest) == (0, 0, math.inf)
        assert fit.si_sdr == -math.inf


def test_excerpts() -> None:
    assert list(excerpts(25, 10)) == [(0, 10), (10, 20), (20, 25)]
    assert list(excerpts(120, 10))[-1] == (110, 120)
    spread = list(excerpts(1000, 10))
    assert len(spread) == alignment.EXCERPTS
    assert (spread[0], spread[1], spread[-1]) == ((0, 10), (90, 100), (990, 1000))
    assert list(excerpts(0, 10)) == []
