"""The bound on 1 - AUC against a count of pairs and SciPy."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import mannwhitneyu
from torch.nn import functional as F

from sepcli.training.losses.auc import auc_loss


def unit(*shape: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, generator=generator), dim=-1)


def test_all_pairs_are_compared() -> None:
    audio, texts, right = unit(3, 5, seed=0), unit(2, 5, seed=1), [[1, 0], [0, 1], [1, 0]]
    scores = (4 * audio @ texts.T).tolist()
    pairs = [(i, j) for i in range(3) for j in range(2)]
    good = [scores[i][j] for i, j in pairs if right[i][j]]
    bad = [scores[i][j] for i, j in pairs if not right[i][j]]
    expected = sum(math.log2(1 + math.exp(b - g)) for g in good for b in bad) / 9
    loss = auc_loss(audio, texts, torch.tensor(right), 4.0)
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_it_bounds_the_statistic_and_meets_it_at_a_large_scale() -> None:
    audio = unit(12, 4, seed=0)
    texts = F.normalize(audio + unit(12, 4, seed=1), dim=-1)
    scores, right = audio @ texts.T, torch.eye(12).bool()
    statistic = mannwhitneyu(scores[right].numpy(), scores[~right].numpy()).statistic
    miss = 1 - statistic / (12 * 132)
    assert 0.02 < miss < 0.3
    assert float(auc_loss(audio, texts, right, 5.0)) > miss
    assert float(auc_loss(audio, audio, right, 1000.0)) == pytest.approx(0, abs=1e-6)


def test_what_tells_nothing_apart_costs_one() -> None:
    same = torch.ones(4, 4) / 2
    assert float(auc_loss(same, same, torch.eye(4), 5.0)) == pytest.approx(1)


def test_a_step_down_the_gradient_helps() -> None:
    audio, texts = unit(4, 6, seed=0).requires_grad_(), unit(4, 6, seed=1)
    before = auc_loss(audio, texts, torch.eye(4), 3.0)
    (gradient,) = torch.autograd.grad(before, audio)
    after = auc_loss(audio.detach() - 0.01 * gradient, texts, torch.eye(4), 3.0)
    drop = float(before.detach() - after)
    assert drop == pytest.approx(0.01 * float(gradient.square().sum()), rel=0.1)


def test_nothing_to_compare_costs_nothing() -> None:
    one = torch.ones(1, 1)
    assert float(auc_loss(one, one, one, 5.0)) == 0
