"""Objectives against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from sepcli.training.losses import CLIP_DB, contrast, silence_loss, snr_loss


def spec(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.view_as_complex(torch.randn(*shape, 2, generator=generator))


def test_snr_of_a_gain() -> None:
    x = spec(1, 20, 30)
    mask = torch.full((1, 20, 30), 0.9)
    expected = 10 * math.log10(0.01 + 10 ** (-CLIP_DB / 10))
    assert float(snr_loss(mask, x, x)) == pytest.approx(expected, abs=1e-4)


def test_snr_saturates_at_a_perfect_mask() -> None:
    x = spec(1, 20, 30)
    assert float(snr_loss(torch.ones(1, 20, 30), x, x)) == pytest.approx(-CLIP_DB, abs=1e-4)
    assert float(snr_loss(torch.zeros(1, 20, 30), x, x)) == pytest.approx(0, abs=0.01)


def test_the_best_real_mask_is_the_projection() -> None:
    x, s = spec(1, 4, 5), spec(1, 4, 5, seed=1)
    mask = (s * x.conj()).real / x.abs().square()
    mask = mask.clone().requires_grad_()
    snr_loss(mask, x, s).sum().backward()
    assert mask.grad is not None
    assert mask.grad.abs().max() < 1e-5


def test_silence() -> None:
    x = spec(2, 20, 30)
    levels = torch.tensor([1.0, 0.1])[:, None, None].expand(2, 20, 30)
    floor = 10 ** (-CLIP_DB / 10)
    expected = [10 * math.log10(1 + floor), 10 * math.log10(0.01 + floor)]
    assert silence_loss(levels, x).tolist() == pytest.approx(expected, abs=1e-4)


def test_contrast_of_certain_and_of_blind_embeddings() -> None:
    eye = torch.eye(4)
    assert float(contrast(eye, eye, eye, torch.tensor(100.0))) == pytest.approx(0, abs=1e-6)
    same = torch.ones(4, 4) / 2
    assert float(contrast(same, same, eye, torch.tensor(5.0))) == pytest.approx(math.log(4))


def test_contrast_with_two_right_answers() -> None:
    audio = torch.tensor([[1.0, 0.0]])
    texts = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    positives = torch.tensor([[1.0, 1.0, 0.0]])
    loss = contrast(audio, texts, positives, torch.tensor(50.0))
    assert float(loss) == pytest.approx(math.log(2), abs=1e-5)
