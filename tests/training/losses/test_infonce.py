"""InfoNCE against closed forms, known gradients and finite differences."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from sepcli.training.losses.infonce import contrast, symmetric_contrast
from sepcli.training.losses.similarity import similarities
from sepcli.training.teacher import SmallTeacher, load_teacher


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, generator=generator, dtype=torch.float64), dim=-1)


def test_certain_and_blind_embeddings() -> None:
    eye = torch.eye(4)
    assert float(contrast(eye, eye, eye, torch.tensor(100.0))) == pytest.approx(0, abs=1e-6)
    same = torch.ones(4, 4) / 2
    assert float(contrast(same, same, eye, 5.0)) == pytest.approx(math.log(4))


def test_two_right_answers_cost_nothing_and_a_wrong_one_does() -> None:
    audio = torch.tensor([[1.0, 0.0]])
    texts = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    right = torch.tensor([[1.0, 1.0, 0.0]])
    assert float(contrast(audio, texts, right, 50.0)) == pytest.approx(0, abs=1e-6)
    assert float(contrast(-audio, texts, right, 50.0)) == pytest.approx(100 - math.log(2))


def test_the_gradient_is_chance_less_truth() -> None:
    audio, texts = unit(3, 5).requires_grad_(), unit(4, 5, seed=1)
    right = torch.tensor([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]])
    contrast(audio, texts, right, 7.0).backward()
    chance = (7.0 * audio.detach() @ texts.T).softmax(dim=1)
    expected = 7.0 * (chance - right / right.sum(dim=1, keepdim=True)) @ texts / 3
    torch.testing.assert_close(audio.grad, expected)


def test_sounds_choose_among_texts_and_not_texts_among_sounds() -> None:
    audio, texts = unit(3, 5), unit(3, 5, seed=1)
    scores, right = 7.0 * audio @ texts.T, torch.arange(3)
    there, back = F.cross_entropy(scores, right), F.cross_entropy(scores.T, right)
    torch.testing.assert_close(contrast(audio, texts, torch.eye(3), 7.0), there)
    both = symmetric_contrast(audio, texts, torch.eye(3), 7.0)
    torch.testing.assert_close(both, (there + back) / 2)


def test_no_sound_costs_nothing() -> None:
    nobody = torch.zeros(0, 4)
    assert float(symmetric_contrast(nobody, nobody, torch.zeros(0, 0), 5.0)) == 0


def test_autocast_does_not_round_cosines() -> None:
    audio, texts = unit(3, 64).float(), unit(3, 64, seed=1).float()
    with torch.autocast("cpu", torch.bfloat16):
        rounded = similarities(audio, texts, 100.0)
    torch.testing.assert_close(rounded, 100.0 * audio @ texts.T)


def test_gradients_reach_the_waveform_through_the_clap() -> None:
    """The slope of a contrast along random directions, by central differences."""
    teacher = load_teacher("model:everyday")
    assert isinstance(teacher, SmallTeacher)
    assert not any(p.requires_grad for p in teacher.ear.parameters())
    teacher.ear.double()
    generator = torch.Generator().manual_seed(0)
    time = torch.arange(16_000, dtype=torch.float64) / 32_000
    tones = torch.stack([torch.sin(2 * torch.pi * pitch * time) for pitch in (440.0, 3000.0)])
    noise = torch.randn(tones.shape, generator=generator, dtype=torch.float64)
    wave = (0.2 * tones + 0.05 * noise).requires_grad_()
    texts = teacher.texts(["a dog barks", "rain"]).double()

    def loss(x: torch.Tensor) -> torch.Tensor:
        return contrast(teacher.audio(x, 32_000), texts, torch.eye(2), teacher.scale)

    (gradient,) = torch.autograd.grad(loss(wave), wave)
    for _ in range(3):
        step = 1e-7 * torch.randn(wave.shape, generator=generator, dtype=torch.float64)
        with torch.no_grad():
            slope = (loss(wave + step) - loss(wave - step)) / 2
        assert float((gradient * step).sum()) == pytest.approx(float(slope), rel=1e-4)


def test_digital_silence_has_a_gradient_too() -> None:
    wave = torch.randn(1, 16_000, generator=torch.Generator().manual_seed(0))
    wave[:, 8000:] = 0
    wave.requires_grad_()
    load_teacher("model:everyday").audio(wave, 32_000).sum().backward()
    assert wave.grad is not None
    assert wave.grad.isfinite().all()
    assert wave.grad[:, :7000].abs().sum() > 0
