"""Permutation-invariant training: assignments against brute force, losses against closed forms."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch
from lessons import Spectra, batch_of, learnt, signs, tone
from recordings import mixture
from torch import Tensor, nn

from sepcli.errors import UsageError
from sepcli.training import config
from sepcli.training.losses.snr import CLIP_DB, THRESHOLD, snr_loss
from sepcli.training.mixing.batch import Batch, Role
from sepcli.training.networks import Masker
from sepcli.training.objectives.assignment import NOBODY, pit
from sepcli.training.objectives.pit import Pit
from sepcli.training.objectives.slots import Outputs, Slots
from sepcli.training.teacher import load_teacher

LOW, HIGH, TOP = tone(400.0), tone(2000.0), tone(5000.0)


class Given(Outputs):
    """Outputs that no network makes, and that can be learnt one by one."""

    def __init__(self, spectrograms: Tensor) -> None:
        super().__init__()
        self.outputs = spectrograms.shape[1]
        self.spectrograms = nn.Parameter(spectrograms)

    def forward(self, masker: Masker, mixture: Tensor) -> Tensor:
        return self.spectrograms


def given(*waves: Tensor) -> Given:
    """The same outputs for a batch of one."""
    return Given(Spectra().spectrogram(torch.stack(waves))[None])


def objective(outputs: Outputs, loss: str = "snr", silent_weight: float = 0.2) -> Pit:
    section = {"name": "pit", "outputs": 2, "loss": loss, "silent_weight": silent_weight}
    return Pit(config.Pit.model_validate(section), outputs)


@pytest.fixture
def pair() -> Batch:
    """One mixture of two tones, and a question for what is not there."""
    return batch_of([[[("low", LOW), ("high", HIGH)]]], signs, absent="nothing")


def saturated(error: float) -> float:
    """Loss of an output whose error has a share of the source's energy."""
    return 10 * math.log10(error + THRESHOLD)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_best_of_all_permutations(size: int) -> None:
    tables = torch.randn(4, size, size, generator=torch.Generator().manual_seed(size))
    for table, found in zip(tables.numpy(), pit(tables).tolist(), strict=True):
        tried = permutations(range(size))
        assert tuple(found) == min(tried, key=lambda p: table[list(p), np.arange(size)].sum())


def test_the_known_permutation_whatever_the_order_of_outputs() -> None:
    table = torch.tensor([[0.1, 9.0, 9.0], [9.0, 9.0, 0.2], [9.0, 0.3, 9.0]])
    assert pit(table[None]).tolist() == [[0, 2, 1]]
    for order in permutations(range(3)):
        best = pit(table[list(order)][None])[0]
        assert [order[output] for output in best.tolist()] == [0, 2, 1]


def test_more_outputs_than_sources_and_fewer() -> None:
    table = torch.tensor([[5.0, 1.0], [0.0, 3.0], [2.0, 2.0]])
    assert pit(table[None]).tolist() == [[1, 0]]
    assert pit(table.T[None]).tolist() == [[1, 0, NOBODY]]


def test_what_is_no_number_is_left_to_the_loss() -> None:
    assert sorted(pit(torch.full((1, 2, 2), torch.nan))[0].tolist()) == [0, 1]


def test_sources_in_any_order_are_perfect(pair: Batch) -> None:
    for waves in permutations((LOW, HIGH)):
        figures = objective(given(*waves))(Spectra(), pair)
        assert figures["loss"].item() == pytest.approx(-CLIP_DB, abs=1e-3)
        assert figures["snr"].item() == pytest.approx(CLIP_DB, abs=1e-3)


def test_loss_is_the_mean_over_sources(pair: Batch) -> None:
    figures = objective(given(0.5 * HIGH, 0.9 * LOW))(Spectra(), pair)
    expected = (saturated(0.25) + saturated(0.01)) / 2
    assert figures["loss"].item() == pytest.approx(expected, abs=1e-3)
    assert figures["snr"].item() == pytest.approx(-expected, abs=1e-3)


def test_other_losses_are_of_waveforms(pair: Batch) -> None:
    figures = objective(given(0.5 * HIGH, 0.9 * LOW), "si-sdr")(Spectra(), pair)
    assert figures["loss"].item() == pytest.approx(-CLIP_DB, abs=0.01)  # blind to gains
    assert figures["snr"].item() < 20


def test_only_the_best_order_has_a_gradient(pair: Batch) -> None:
    outputs = given(0.5 * HIGH, 0.9 * LOW)
    objective(outputs)(Spectra(), pair)["loss"].backward()
    expected = outputs.spectrograms.detach().clone().requires_grad_()
    sources = Spectra().spectrogram(torch.stack([HIGH, LOW]))[None]
    snr_loss(expected, sources).mean().backward()
    torch.testing.assert_close(outputs.spectrograms.grad, expected.grad)


@pytest.mark.parametrize("weight", [0.2, 1.0])
def test_an_output_too_many_should_be_silent(pair: Batch, weight: float) -> None:
    leak = 0.1 * (LOW + HIGH)
    outputs = given(0.9 * LOW, leak, HIGH)
    figures = objective(outputs, silent_weight=weight)(Spectra(), pair)
    expected = saturated(0.01) + weight * saturated(0.01) - CLIP_DB
    assert figures["loss"].item() == pytest.approx(expected / 3, abs=1e-3)
    assert figures["snr"].item() == pytest.approx((20 + CLIP_DB) / 2, abs=0.3)


def test_mixtures_with_an_unknown_source_do_not_count(pair: Batch) -> None:
    other = batch_of([[[("low", LOW), ("top", TOP)]]], signs, absent="nothing")
    unknown = replace(other, known=other.known & (other.answers.abs().sum(-1) < 1))
    both = Batch(**{k: torch.cat([v, vars(unknown)[k]]) for k, v in vars(pair).items()})
    two = Given(given(0.5 * HIGH, 0.9 * LOW).spectrograms.detach().repeat(2, 1, 1, 1))
    figures, alone = (
        objective(outputs)(Spectra(), batch)
        for outputs, batch in ((two, both), (given(0.5 * HIGH, 0.9 * LOW), pair))
    )
    assert figures["loss"].item() == pytest.approx(alone["loss"].item(), abs=1e-5)
    assert figures["snr"].item() == pytest.approx(alone["snr"].item(), abs=1e-5)


def test_a_mixture_of_too_many_sources_is_refused() -> None:
    crowd = batch_of([[[("low", LOW), ("high", HIGH)], [("top", TOP)]]], signs)
    with pytest.raises(UsageError, match="3 sources, and objective pit 2 outputs") as caught:
        objective(given(LOW, HIGH))(Spectra(), crowd)
    assert "outputs: 3" in caught.value.remedy


def test_estimates_are_in_the_order_of_the_questions(pair: Batch) -> None:
    estimates = objective(given(0.5 * HIGH, 0.9 * LOW, 0 * TOP)).estimates(Spectra(), pair)
    wanted = Spectra().spectrogram(torch.stack([0.9 * LOW, 0.5 * HIGH, 0 * TOP]))[None]
    assert pair.role.tolist() == [[Role.PHRASE, Role.PHRASE, Role.ABSENT]]
    torch.testing.assert_close(estimates, wanted)


def test_a_question_too_many_is_answered_with_silence() -> None:
    crowd = batch_of([[[("low", LOW), ("high", HIGH)], [("top", TOP)]]], signs)
    estimates = objective(given(TOP, HIGH)).estimates(Spectra(), crowd)
    assert crowd.role.tolist() == [[Role.PHRASE] * 3 + [Role.PADDING]]
    wanted = Spectra().spectrogram(torch.stack([0 * LOW, HIGH, TOP, 0 * LOW]))[None]
    torch.testing.assert_close(estimates, wanted)


def test_a_network_learns_it() -> None:
    teacher = load_teacher("model:everyday")
    items = [mixture(("dog barking", "rain")), mixture(("ticking clock", "helicopter"))]
    torch.manual_seed(0)
    lesson = objective(Slots(2, teacher.dimension))
    first, last = learnt(lesson, [batch_of(items, teacher.texts)], teacher)
    assert last < first - 2
