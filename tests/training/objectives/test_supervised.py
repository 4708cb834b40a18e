"""The supervised objective against closed forms, and a lesson."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from lessons import Free, batch_of, ideal_masks, learnt, signs, tone
from recordings import mixture

from sepcli.training import config
from sepcli.training.config import Loss
from sepcli.training.losses import LOSSES
from sepcli.training.mixing.batch import Asking, Batch
from sepcli.training.objectives.compare import compare
from sepcli.training.objectives.supervised import Supervised
from sepcli.training.teacher import load_teacher

LIMIT = -30.0  # dB
AS_LOUD = 10 * math.log10(1 + 1e-3)  # dB, saturating


@pytest.fixture
def batch() -> Batch:
    """Two tones, equally loud, each asked for, and one that is not there."""
    return batch_of([[[("low", tone(1000)), ("high", tone(4000))]]], signs, absent="bells")


def test_it_asks_as_the_config_says() -> None:
    objective = Supervised(config.Supervised(questions=3, absent=0.4))
    assert objective.asking == Asking(sampled=3, absent_share=0.4)


def test_ideal_masks_reach_the_limit(batch: Batch) -> None:
    """But for the tones' ends, which are broad."""
    figures = Supervised(config.Supervised())(Free(ideal_masks(batch)), batch)
    loss = figures["loss"].item()
    assert loss == pytest.approx((2 * LIMIT + 0.2 * LIMIT) / 3, abs=0.5)
    assert float(figures["snr"]) == pytest.approx(-LIMIT, abs=0.7)
    assert float(figures["silence"]) == pytest.approx(LIMIT, abs=0.01)


def test_what_lets_everything_through(batch: Batch) -> None:
    masks = torch.ones_like(ideal_masks(batch))
    figures = Supervised(config.Supervised(absent_weight=0.5))(Free(masks), batch)
    assert figures["loss"].item() == pytest.approx(2.5 / 3 * AS_LOUD, abs=1e-3)
    assert float(figures["snr"]) == pytest.approx(-AS_LOUD, abs=1e-3)
    assert not figures["snr"].requires_grad


def test_what_nobody_knows_teaches_nothing(batch: Batch) -> None:
    known = torch.tensor([[True, False, True]])
    masker = Free(torch.full_like(ideal_masks(batch), 0.5))
    figures = Supervised(config.Supervised())(masker, replace(batch, known=known))
    figures["loss"].backward()
    assert masker.masks.grad is not None
    taught = masker.masks.grad.abs().sum((2, 3)) > 0
    assert torch.equal(taught, known)
    alone = Supervised(config.Supervised())(masker, batch)
    low = 10 * math.log10(0.5 + 1e-3)  # half the tone is missing, half the other one is there
    quiet = 10 * math.log10(0.25 + 1e-3)
    assert figures["loss"].item() == pytest.approx((low + 0.2 * quiet) / 2, abs=1e-2)
    assert alone["loss"].item() == pytest.approx((2 * low + 0.2 * quiet) / 3, abs=1e-2)


@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_is_the_one_named(name: Loss, batch: Batch) -> None:
    masker = Free(torch.full_like(ideal_masks(batch), 0.3))
    objective = Supervised(config.Supervised(loss=name, absent_weight=0))
    rows = LOSSES[name](compare(masker, batch, objective.estimates(masker, batch)))
    expected = rows[0, :2].sum().item() / 3
    assert objective(masker, batch)["loss"].item() == pytest.approx(expected, rel=1e-5)


def test_a_lesson() -> None:
    teacher = load_teacher("model:everyday")
    items = mixture(("dog barking", "rain")), mixture(("helicopter", "ticking clock"))
    batch = batch_of(items, teacher.texts, absent="church bells")
    first, last = learnt(Supervised(config.Supervised()), [batch], teacher)
    assert last < first - 2  # dB
