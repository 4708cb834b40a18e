"""Which estimate belongs to which reference."""

from __future__ import annotations

import numpy as np
import pytest

from sepcli.evaluation.metrics.si_sdr import si_sdr
from sepcli.evaluation.permutation import LIMIT_DB, best_permutation, pairwise_si_sdr


@pytest.fixture
def sources() -> np.ndarray:
    return np.random.default_rng(3).standard_normal((3, 1, 800))


def test_pairs_are_si_sdr(sources: np.ndarray) -> None:
    noisy = sources + 0.3 * np.random.default_rng(4).standard_normal(sources.shape)
    table = pairwise_si_sdr(sources, noisy)
    for i, reference in enumerate(sources):
        for j, estimate in enumerate(noisy):
            assert table[i, j] == pytest.approx(si_sdr(reference, estimate), abs=1e-9)


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1], [1, 0, 2]])
def test_turns_back_any_order(sources: np.ndarray, order: list[int]) -> None:
    assert best_permutation(sources, (0.5 * sources)[order]) == [order.index(i) for i in range(3)]


def test_maximises_the_sum_not_the_first_choice() -> None:
    """Reference 0 alone would take estimate 0; together, the other assignment is better."""
    rng = np.random.default_rng(5)
    a, b = np.linalg.qr(rng.standard_normal((100, 2)))[0].T
    references = np.stack([a, b])[:, None]
    estimates = np.stack([0.8 * a + 1.0 * b, 0.7 * a + 0.1 * b])[:, None]
    table = pairwise_si_sdr(references, estimates)
    assert table[0, 1] > table[0, 0]
    assert best_permutation(references, estimates) == [1, 0]


def test_silence_is_the_worst_and_a_copy_the_best(sources: np.ndarray) -> None:
    estimates = sources.copy()
    estimates[2] = 0
    table = pairwise_si_sdr(sources, estimates)
    assert table[0, 0] == LIMIT_DB
    assert (table[:, 2] == -LIMIT_DB).all()
    assert np.isfinite(pairwise_si_sdr(0 * sources, sources)).all()


def test_of_more_estimates_than_references_the_best_are_chosen(sources: np.ndarray) -> None:
    others = np.random.default_rng(6).standard_normal((2, 1, 800))
    estimates = np.concatenate([others[:1], sources[[2, 0]], others[1:], sources[[1]]])
    assert best_permutation(sources, estimates) == [2, 4, 1]
