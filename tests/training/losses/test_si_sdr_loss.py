"""SI-SDR against the metric."""

from __future__ import annotations

import math

import pytest
import torch

from sepcli.evaluation.metrics.si_sdr import si_sdr
from sepcli.training.losses.si_sdr import si_sdr_loss


def noisy(level: float) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    target, noise = torch.randn(2, 1000, generator=generator, dtype=torch.float64)
    return 0.3 * target + level * noise, target


@pytest.mark.parametrize("level", [0.01, 0.1, 1.0])
def test_it_is_the_metric_with_a_limit(level: float) -> None:
    estimate, target = noisy(level)
    metric = si_sdr(target.numpy(), estimate.numpy())
    expected = 10 * math.log10(10 ** (-metric / 10) + 1e-3)
    assert float(si_sdr_loss(estimate, target)) == pytest.approx(expected, abs=1e-6)


def test_it_is_blind_to_gain_and_saturates() -> None:
    estimate, target = noisy(0.1)
    reference = float(si_sdr_loss(estimate, target))
    assert float(si_sdr_loss(-7 * estimate, target)) == pytest.approx(reference)
    assert float(si_sdr_loss(0.2 * target, target)) == pytest.approx(-30)


def test_every_estimate_is_compared_with_every_target() -> None:
    estimate, target = noisy(0.1)
    waves = torch.stack([estimate, target])
    table = si_sdr_loss(waves[:, None], waves[None])
    assert float(table[0, 1]) == pytest.approx(float(si_sdr_loss(estimate, target)))
    assert table.shape == (2, 2)


@pytest.mark.parametrize(("estimate", "target"), [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0)])
def test_silence_gives_numbers(estimate: float, target: float) -> None:
    wave = torch.full((8,), estimate, requires_grad=True)
    loss = si_sdr_loss(wave, torch.full((8,), target))
    loss.backward()
    assert loss.isfinite()
    assert wave.grad is not None
    assert wave.grad.isfinite().all()
