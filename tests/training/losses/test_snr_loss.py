"""SNR and silence against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from sepcli.training.losses.silence import silence_loss
from sepcli.training.losses.snr import CLIP_DB, energy, snr_loss


def spec(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.view_as_complex(torch.randn(*shape, 2, generator=generator))


def test_snr_of_a_gain() -> None:
    x = spec(1, 20, 30)
    expected = 10 * math.log10(0.01 + 10 ** (-CLIP_DB / 10))
    assert float(snr_loss(0.9 * x, x)) == pytest.approx(expected, abs=1e-4)
    assert float(snr_loss(9 * x, 10 * x)) == pytest.approx(expected, abs=1e-4)


def test_snr_saturates_at_a_perfect_estimate() -> None:
    x = spec(1, 20, 30)
    assert CLIP_DB == 30
    assert float(snr_loss(x, x)) == pytest.approx(-30, abs=1e-4)
    assert float(snr_loss(torch.zeros_like(x), x)) == pytest.approx(0, abs=0.01)


def test_the_best_real_mask_is_the_projection() -> None:
    x, s = spec(1, 4, 5), spec(1, 4, 5, seed=1)
    mask = (s * x.conj()).real / x.abs().square()
    mask = mask.clone().requires_grad_()
    snr_loss(mask * x, s).sum().backward()
    assert mask.grad is not None
    assert mask.grad.abs().max() < 1e-5


def test_every_estimate_is_compared_with_every_target() -> None:
    s = spec(3, 4, 5)
    table = snr_loss(s[:, None], s[None, :2])
    assert table.shape == (3, 2)
    assert float(table[2, 1]) == pytest.approx(float(snr_loss(s[2], s[1])))
    assert table.diagonal().tolist() == pytest.approx([-30, -30], abs=1e-4)


def test_a_silent_target_gives_numbers() -> None:
    estimate = spec(1, 4, 5).requires_grad_()
    snr_loss(estimate, torch.zeros(1, 4, 5)).sum().backward()
    assert estimate.grad is not None
    assert estimate.grad.abs().isfinite().all()


def test_energy_of_real_and_complex() -> None:
    assert float(energy(torch.tensor([[3.0, 4.0]]))) == 25
    assert float(energy(torch.tensor([[3.0 + 4.0j, 2.0j]]))) == 29


def test_silence() -> None:
    x = spec(2, 20, 30)
    levels = torch.tensor([1.0, 0.1])[:, None, None]
    expected = [10 * math.log10(1.001), 10 * math.log10(0.011)]
    assert silence_loss(levels * x, x).tolist() == pytest.approx(expected, abs=1e-4)
    assert float(silence_loss(0 * x, x)[0]) == pytest.approx(-30)
    assert silence_loss(0 * x, 0 * x).tolist() == pytest.approx([-30, -30])
