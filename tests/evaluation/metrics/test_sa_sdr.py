"""SA-SDR against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sepcli.errors import ItemError
from sepcli.evaluation.metrics import sa_sdr
from sepcli.evaluation.scene import Scene


def test_energies_are_summed_over_sources() -> None:
    references = np.array([[[3.0, 0.0]], [[0.0, 4.0]], [[0.0, 0.0]]])
    errors = np.array([[[0.0, 0.5]], [[0.0, 0.0]], [[0.5, 0.0]]])  # also of the silent one
    assert sa_sdr.sa_sdr(references, references + errors) == pytest.approx(
        10 * math.log10(25 / 0.5)
    )


def test_silence_and_perfection() -> None:
    ones, silence = np.ones((2, 1, 3)), np.zeros((2, 1, 3))
    assert sa_sdr.sa_sdr(ones, ones) == math.inf
    assert sa_sdr.sa_sdr(ones, silence) == 0
    assert math.isnan(sa_sdr.sa_sdr(silence, ones))


def test_a_quiet_source_may_go_missing_for_little() -> None:
    """What the header says it is blind to, with its size."""
    rng = np.random.default_rng(0)
    references = rng.standard_normal((4, 1, 50_000))
    references[3] *= 0.1
    estimates = references + np.sqrt(0.1) * rng.standard_normal(references.shape)
    estimates[3] = references[3] + np.sqrt(0.1) * 0.1 * rng.standard_normal((1, 50_000))
    before = sa_sdr.sa_sdr(references, estimates)
    estimates[3] = 0
    lost = before - sa_sdr.sa_sdr(references, estimates)
    expected = 10 * math.log10((0.3 + 0.01) / (0.3 + 0.001))
    assert lost == pytest.approx(expected, abs=0.01)


def test_scenes_have_one_value_for_all_stems() -> None:
    references = np.array([[[3.0, 0.0]], [[0.0, 4.0]]])
    estimates = references * 0.9
    mixture = references.sum(axis=0) * 2
    scores = sa_sdr.evaluate(Scene(8000, ("a", "b"), references, estimates, mixture))
    assert scores["sa_sdr"] == pytest.approx([20, 20])
    # As the estimate of one the mixture errs by 3 and 8, of the other by 6 and 4.
    unprocessed = 10 * math.log10(25 / (9 + 64 + 36 + 16))
    assert scores["sa_sdri"] == pytest.approx([20 - unprocessed] * 2)


def test_what_cannot_be_compared() -> None:
    with pytest.raises(ItemError, match="differ in shape"):
        sa_sdr.sa_sdr(np.ones((2, 3)), np.ones((1, 3)))
