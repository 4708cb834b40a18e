"""The mean teacher: its average, its gate, and what it hears."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from lessons import RATE, Free, Spectra, batch_of, learnt, signs, tone
from recordings import mixture
from torch import Tensor, nn
from torch.nn import functional as F

from sepcli.training import config
from sepcli.training.losses.snr import CLIP_DB, snr_loss
from sepcli.training.mixing.batch import Batch
from sepcli.training.objectives.mean_teacher import MeanTeacher
from sepcli.training.teacher import load_teacher

LOW, HIGH, TOP = tone(400.0), tone(2000.0), tone(5000.0)


class Ear:
    """A CLAP to which everything sounds like a text, more or less."""

    hears, dimension, scale = True, 16, 1.0

    def __init__(self, *cosines: float) -> None:
        self.cosines = torch.tensor(cosines)
        self.heard: list[Tensor] = []
        self.asked = batch_of([[[("low", LOW), ("high", HIGH)], [("top", TOP)]]], signs)

    def audio(self, wave: Tensor, rate: int) -> Tensor:
        assert rate == RATE
        self.heard.append(wave)
        texts = self.asked.targets[self.asked.weight > 0]
        rest = torch.randn(texts.shape, generator=torch.Generator().manual_seed(5))
        across = F.normalize(rest - (rest * texts).sum(-1, keepdim=True) * texts, dim=-1)
        cosines = self.cosines[:, None]
        return cosines * texts + (1 - cosines.square()).sqrt() * across


def section(gate: float = 0.3, decay: float = 0.1) -> config.Semi:
    return config.Semi(
        name="semi", fraction=0.5, semi="mean-teacher", gate=gate, teacher_decay=decay
    )


@pytest.fixture
def batch() -> Batch:
    """Two source mixtures, of two tones and of one; nobody recorded the tones alone."""
    known = batch_of([[[("low", LOW), ("high", HIGH)], [("top", TOP)]]], signs)
    return replace(known, known=torch.zeros_like(known.known), answers=0 * known.answers)


def masks(batch: Batch, value: float) -> Tensor:
    bins, frames = Spectra().spectrogram(batch.mixture).shape[1:]
    return torch.full((*batch.role.shape, bins, frames), value)


class Half(Spectra):
    """Lets half of what it hears through."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(0.5))

    def forward(self, mixture: Tensor, queries: Tensor) -> Tensor:
        return self.gain.expand(*queries.shape[:2], *mixture.shape[1:])


def taught(ear: Ear, gate: float) -> MeanTeacher:
    """By a network that lets half through."""
    objective = MeanTeacher(section(gate), ear)  # type: ignore[arg-type]
    objective.begin(Half())
    return objective


def test_the_average_after_k_steps() -> None:
    weights = torch.randn(6, generator=torch.Generator().manual_seed(1)).tolist()
    objective, student = MeanTeacher(section(), Ear()), nn.BatchNorm1d(1)  # type: ignore[arg-type]
    with torch.no_grad():
        student.weight.fill_(weights[0])
        objective.begin(student)  # type: ignore[arg-type]
        for weight in weights[1:]:
            student.weight.fill_(weight)
            student.running_mean.fill_(2 * weight)  # type: ignore[union-attr]
            student.num_batches_tracked += 1  # type: ignore[operator]
            objective.after_step(student)  # type: ignore[arg-type]
    powers = [0.1 ** (5 - k) for k in range(6)]  # while (1 + n) / (10 + n) >= 0.1, from the start
    weighted = zip(powers[1:], weights[1:], strict=True)
    expected = powers[0] * weights[0] + 0.9 * sum(power * weight for power, weight in weighted)
    state = objective.network.state_dict()
    assert state["weight"].item() == pytest.approx(expected, abs=1e-6)
    assert state["running_mean"].item() == pytest.approx(
        2 * (expected - powers[0] * weights[0]), abs=1e-6
    )
    assert state["num_batches_tracked"].item() == 5
    assert objective.updates.item() == 5


def test_the_decay_rises_to_that_of_the_config() -> None:
    objective, student = MeanTeacher(section(decay=0.15), Ear()), Half()  # type: ignore[arg-type]
    objective.begin(student)
    student.gain.data.fill_(1.5)
    expected = 0.5
    for decay in (1 / 10, 0.15, 0.15):
        objective.after_step(student)
        expected = decay * expected + (1 - decay) * 1.5
        assert objective.network.gain.item() == pytest.approx(expected)


def test_the_teacher_is_frozen_and_kept_in_checkpoints() -> None:
    objective, student = taught(Ear(), 0.3), Half()
    assert not any(parameter.requires_grad for parameter in objective.network.parameters())
    assert objective.network is not student
    assert not objective.train().network.training
    student.gain.data.fill_(1.0)
    objective.after_step(student)
    other = taught(Ear(), 0.3)
    other.load_state_dict(objective.state_dict())
    assert other.network.gain.item() == pytest.approx(0.95)
    assert other.updates.item() == 1


def test_an_objective_that_has_not_begun_can_change_its_mode() -> None:
    assert not MeanTeacher(section(), Ear()).eval().training  # type: ignore[arg-type]


def test_the_teacher_hears_source_mixtures_alone(batch: Batch) -> None:
    ear = Ear(1.0, 1.0, 1.0)
    taught(ear, 0.3)(Half(), batch)
    wanted = 0.5 * torch.stack([LOW + HIGH, LOW + HIGH, TOP])
    torch.testing.assert_close(ear.heard[0], wanted, atol=1e-6, rtol=0)


def test_accepted_answers_are_learnt_from(batch: Batch) -> None:
    masker = Free(masks(batch, 0.25))
    figures = taught(Ear(0.9, 0.2, 0.31), 0.3)(masker, batch)
    mixed = masker.spectrogram(batch.mixture)
    targets = 0.5 * masker.spectrogram(torch.stack([LOW + HIGH, LOW + HIGH, TOP]))
    losses = snr_loss(0.25 * mixed, targets)
    expected = (losses[0] + losses[2]) / 3  # of three phrases one is not learnt from
    assert figures["loss"].item() == pytest.approx(expected.item(), abs=1e-4)
    assert figures["accepted"].item() == pytest.approx(2 / 3)
    figures["loss"].backward()
    assert masker.masks.grad is not None
    moved = masker.masks.grad.abs().sum((-2, -1))[0]
    assert (moved[[0, 2]] > 0).all()
    assert (moved[[1, 3]] == 0).all()  # what the gate shuts out, and padding


@pytest.mark.parametrize(("cosine", "share"), [(0.2999, 0.0), (0.3001, 1.0)])
def test_the_gate_is_a_cosine(batch: Batch, cosine: float, share: float) -> None:
    figures = taught(Ear(cosine, cosine, cosine), 0.3)(Free(masks(batch, 0.25)), batch)
    assert figures["accepted"].item() == share


def test_below_the_gate_the_gradient_is_exactly_zero(batch: Batch) -> None:
    masker = Free(masks(batch, 0.25))
    figures = taught(Ear(0.29, -1.0, 0.0), 0.3)(masker, batch)
    assert figures["loss"].item() == 0
    figures["loss"].backward()
    assert masker.masks.grad is not None
    assert (masker.masks.grad == 0).all()


def test_the_best_answer_is_the_teachers(batch: Batch) -> None:
    mixed = Spectra().spectrogram(batch.mixture)
    heard = Spectra().spectrogram(batch.parts)[0, [0, 0, 1, 1]]
    ratio = (0.5 * heard / mixed).real.nan_to_num()
    figures = taught(Ear(1.0, 1.0, 1.0), 0.3)(Free(ratio[None]), batch)
    assert figures["loss"].item() == pytest.approx(-CLIP_DB, abs=0.5)


def test_no_phrase_at_all(batch: Batch) -> None:
    silent = replace(batch, role=batch.role.new_full(batch.role.shape, 3))
    figures = taught(Ear(), 0.3)(Free(masks(batch, 0.25)), silent)
    assert figures["loss"].item() == figures["accepted"].item() == 0
    assert figures["loss"].requires_grad


def test_a_network_learns_from_its_average() -> None:
    clap = load_teacher("model:everyday")
    items = [
        mixture(("dog barking",), ("rain",)),
        mixture(("ticking clock", "helicopter"), ("dog barking",)),
    ]
    objective = MeanTeacher(section(gate=-1.0, decay=0.99), clap)
    first, last = learnt(objective, [batch_of(items, clap.texts)], clap)
    assert math.isfinite(last)
    assert last < first - 2
