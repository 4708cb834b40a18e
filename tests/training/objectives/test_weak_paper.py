"""The paper's bi-modal objective against NumPy, and a lesson."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from lessons import Part, batch_of, learnt, signs
from recordings import mixture
from torch import Tensor
from weak_lessons import Deaf, Linear, Plain, paper_in_numpy

from sepcli.training import config
from sepcli.training.losses.auc import auc_loss
from sepcli.training.mixing.batch import Asking, Batch, Role
from sepcli.training.objectives.weak import Weak
from sepcli.training.teacher import load_teacher

PAPER = config.Weak(setting="paper")


@pytest.fixture
def batch() -> Batch:
    """Two mixtures: two phrases about one part, in one of them twice the same; one padded."""
    waves = iter(torch.randn(8, 12, generator=torch.Generator().manual_seed(0)))
    items: list[list[Part]] = [
        [[("a", next(waves)), ("b", next(waves))], [("c", next(waves)), ("d", next(waves))]],
        [[("b", next(waves))], [("e", next(waves)), ("e", next(waves))]],
    ]
    made = batch_of(items, signs, captions=True)
    twice = (made.part == 1) & made.asks(Role.PHRASE) & torch.tensor([[False], [True]])
    return replace(made, weight=made.weight.masked_fill(twice, 0.5))


def test_it_asks_for_captions_and_phrases_and_nothing_else() -> None:
    assert Weak(PAPER, Linear(12)).asking == Asking(captions=True, phrases=True)


def test_numpy_agrees(batch: Batch) -> None:
    masker, teacher = Plain(), Linear(12)
    figures = Weak(PAPER, teacher)(masker, batch)
    cnt, crl, url = paper_in_numpy(masker, batch, teacher)
    assert float(figures["contrast"]) == pytest.approx(cnt, rel=1e-4)
    assert float(figures["consistency"]) == pytest.approx(crl, rel=1e-4)
    assert float(figures["separation"]) == pytest.approx(url, rel=1e-4)
    assert figures["loss"].item() == pytest.approx(0.5 * cnt + 5 * (crl + url), rel=1e-4)
    assert set(figures) == {"loss", "contrast", "consistency", "separation", "snr"}


def test_the_weights_are_those_of_the_config(batch: Batch) -> None:
    section = config.Weak(
        setting="paper", contrast_weight=2, consistency_weight=3, separation_weight=7
    )
    figures = Weak(section, Linear(12))(Plain(), batch)
    terms = [float(figures[name]) for name in ("contrast", "consistency", "separation")]
    expected = 5 * (2 * terms[0] + 3 * terms[1] + 7 * terms[2])
    assert figures["loss"].item() == pytest.approx(expected, rel=1e-5)


def six_phrases(embeddings: Tensor) -> Batch:
    """One part each, of which three are asked for by the same words."""
    waves = torch.randn(6, 12, generator=torch.Generator().manual_seed(0))
    items = [[[(word, wave)]] for word, wave in zip("aaabcd", waves, strict=True)]
    return batch_of(items, lambda texts: embeddings[["abcd".index(text) for text in texts]])


@pytest.mark.parametrize(("setting", "least"), [("paper", 0.5 * math.log(3)), ("ours", 0.0)])
def test_equal_texts_are_wrong_answers_to_themselves_in_the_paper_only(
    setting: str, least: float
) -> None:
    """What a perfect answer costs where 3 texts of 6 are equal: about 0.55, or nothing."""
    batch = six_phrases(torch.eye(4))
    section = config.Weak.model_validate({"setting": setting, "absent": 0})
    teacher = Deaf(torch.eye(4)[[0, 0, 0, 1, 2, 3]], scale=100.0)
    figures = Weak(section, teacher)(Plain(queries=4), batch)
    assert float(figures["contrast"]) == pytest.approx(least, abs=1e-4)


def test_the_other_contrast(batch: Batch) -> None:
    masker, teacher = Plain(), Linear(12)
    section = config.Weak(setting="paper", contrast="auc")
    masked = masker(masker.spectrogram(batch.mixture), batch.queries)
    waves = masker.waveform(masked * masker.spectrogram(batch.mixture)[:, None], 12)
    expected = torch.tensor(0.0)
    for part in (0, 1):
        rows = batch.asks(Role.PHRASE) & (batch.part == part)
        audio = teacher.audio(waves[rows], masker.rate)
        right = torch.eye(int(rows.sum()))
        expected = expected + auc_loss(audio, batch.targets[rows], right, teacher.scale)
    figures = Weak(section, teacher)(masker, batch)
    assert float(figures["contrast"]) == pytest.approx(float(expected.detach()), rel=1e-5)


def test_the_snr_is_that_of_the_captions(batch: Batch) -> None:
    masker = Plain()
    spec = masker.spectrogram(batch.mixture)
    estimates = (masker(spec, batch.queries) * spec[:, None]).detach()
    captions = batch.asks(Role.CAPTION)
    error = (estimates - masker.spectrogram(batch.answers))[captions].abs().square().sum((1, 2))
    power = masker.spectrogram(batch.answers)[captions].abs().square().sum((1, 2))
    expected = float((-10 * torch.log10(error / power + 1e-3)).mean())
    figures = Weak(PAPER, Linear(12))(masker, batch)
    assert float(figures["snr"]) == pytest.approx(expected, rel=1e-4)


def test_a_lesson() -> None:
    teacher = load_teacher("model:everyday")
    items = (
        mixture(("dog barking",), ("ticking clock",)),
        mixture(("helicopter", "rain"), ("dog barking",)),
    )
    batch = batch_of(items, teacher.texts, captions=True)
    first, last = learnt(Weak(PAPER, teacher), [batch], teacher)
    assert last < 0.7 * first
