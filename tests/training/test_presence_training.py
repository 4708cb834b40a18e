"""The judge of answers learns from gathered cases, and its figures are what they say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu

from sepcli.nets.presence import Presence
from sepcli.training.presence import Cases, area, best_threshold, scores, train_judge


def cases(count: int, seed: int) -> Cases:
    """Evidence whose first feature tells, in some noise, whether the sound is there."""
    generator = torch.Generator().manual_seed(seed)
    present = (torch.rand(count, generator=generator) < 0.5).float()
    evidence = torch.randn(count, 2 * (3 + 2) + 1, generator=generator)
    evidence[:, 0] += 3 * (present - 0.5)
    return Cases(evidence, torch.randn(count, 6, generator=generator), present)


def test_the_area_is_mann_and_whitneys() -> None:
    rng = np.random.default_rng(0)
    present, absent = rng.integers(2, 9, 40) / 8, rng.integers(0, 7, 60) / 8
    expected = mannwhitneyu(present, absent).statistic / (40 * 60)
    assert area(present, absent) == pytest.approx(expected)


def test_the_threshold_tells_most_apart() -> None:
    present, absent = np.array([0.6, 0.7, 0.9, 0.2]), np.array([0.1, 0.3, 0.5, 0.65])
    assert best_threshold(present, absent) == 0.6


def test_a_judge_learns_what_there_is_to_learn() -> None:
    torch.manual_seed(0)
    judge = Presence(deep=3, fine=2, embedding=4, hears=False, query=6).requires_grad_(False)
    train, validation = cases(600, 0), cases(300, 1)
    before = area(*scores(judge, validation))
    verdict = train_judge(judge, train, validation, seed=0)
    # The feature alone has an area of Phi(3 / sqrt 2) = 0.983.
    assert verdict.auc > 0.95 > before
    assert verdict.auc == area(*scores(judge, validation))
    present, absent = scores(judge, validation)
    assert (present >= verdict.threshold).mean() + (absent < verdict.threshold).mean() > 1.8


def test_the_ear_does_not_learn() -> None:
    torch.manual_seed(0)
    judge = Presence(deep=3, fine=2, embedding=256, hears=True, query=6)
    assert judge.ear is not None
    before = {key: value.clone() for key, value in judge.ear.state_dict().items()}
    few = cases(64, 2)
    wider = Cases(torch.cat([few.evidence, few.evidence[:, :2]], 1), few.film, few.present)
    train_judge(judge, wider, wider, seed=0)
    assert all(torch.equal(value, before[key]) for key, value in judge.ear.state_dict().items())
