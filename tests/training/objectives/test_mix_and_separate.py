"""Mix and separate against closed forms, and a lesson."""

from __future__ import annotations

import pytest
import torch
from lessons import Free, Spectra, batch_of, ideal_masks, learnt, signs, tone
from recordings import mixture

from sepcli.training import config
from sepcli.training.mixing.batch import Asking, Role
from sepcli.training.objectives.mix_and_separate import MixAndSeparate
from sepcli.training.teacher import load_teacher

SECTION = config.MixAndSeparate(name="mix-and-separate")
TWO_PARTS = [[("low", tone(1000)), ("high", tone(4000))], [("top", tone(9000))]]


def test_only_captions_are_asked_for() -> None:
    assert MixAndSeparate(SECTION).asking == Asking(captions=True)


def test_ideal_masks_reach_the_limit() -> None:
    batch = batch_of([TWO_PARTS], signs, captions=True, phrases=False)
    figures = MixAndSeparate(SECTION)(Free(ideal_masks(batch)), batch)
    assert figures["loss"].item() == pytest.approx(-30, abs=0.5)
    assert float(figures["snr"]) == pytest.approx(30, abs=0.5)


def test_the_best_masks_are_projections_and_phrases_do_not_count() -> None:
    generator = torch.Generator().manual_seed(0)
    parts = [[("one", torch.randn(9600, generator=generator))] for _ in range(2)]
    batch = batch_of([parts], signs, captions=True, absent="bells")
    masker = Spectra()
    mixed, answers = masker.spectrogram(batch.mixture)[:, None], masker.spectrogram(batch.answers)
    captions = batch.asks(Role.CAPTION)
    best = (answers * mixed.conj()).real / mixed.abs().square().clamp(min=1e-20)
    free = Free(best.where(captions[..., None, None], 0.5))
    MixAndSeparate(SECTION)(free, batch)["loss"].backward()
    assert free.masks.grad is not None
    assert float(free.masks.grad.abs().max()) < 1e-4
    worse = Free(0.9 * best)
    MixAndSeparate(SECTION)(worse, batch)["loss"].backward()
    assert worse.masks.grad is not None
    assert torch.equal(worse.masks.grad.abs().sum((2, 3)) > 0, captions)
    assert float(worse.masks.grad.abs().max()) > 1e-3


def test_the_loss_is_the_one_named() -> None:
    batch = batch_of([TWO_PARTS], signs, captions=True, phrases=False)
    section = config.MixAndSeparate(name="mix-and-separate", loss="l1-magnitude")
    assert MixAndSeparate(section)(Free(ideal_masks(batch)), batch)["loss"].item() >= 0


def test_a_lesson() -> None:
    teacher = load_teacher("model:everyday")
    items = (
        mixture(("dog barking", "rain"), ("ticking clock",)),
        mixture(("helicopter",), ("ticking clock", "dog barking")),
    )
    batch = batch_of(items, teacher.texts, captions=True, phrases=False)
    first, last = learnt(MixAndSeparate(SECTION), [batch], teacher)
    assert last < first - 2  # dB
