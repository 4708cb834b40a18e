"""Our bi-modal objective against closed forms, in two processes, and a lesson."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from lessons import Free, Spectra, batch_of, ideal_masks, learnt, signs, tone
from recordings import mixture
from torch import Tensor, distributed
from torch.multiprocessing import start_processes
from weak_lessons import Deaf, Linear, Plain

from sepcli.training import config
from sepcli.training.losses.infonce import symmetric_contrast
from sepcli.training.mixing.batch import Asking, Batch, Role
from sepcli.training.objectives.hearing import hear, listen
from sepcli.training.objectives.weak import Weak
from sepcli.training.objectives.weak_ours import consistency, unique
from sepcli.training.teacher import load_teacher

OURS = config.Weak()
TWO_PARTS = [[("low", tone(1000)), ("high", tone(4000))], [("top", tone(9000))]]


@pytest.fixture
def batch() -> Batch:
    """Three tones in two parts, one question of padding, and one about what is not there."""
    return batch_of([TWO_PARTS], signs, captions=True, absent="bells")


def consistency_of(batch: Batch, masks: Tensor) -> float:
    return float(consistency(hear(Free(masks), batch)).detach())


def test_it_also_asks_for_what_is_not_there() -> None:
    asking = Weak(config.Weak(absent=2), Linear(12)).asking
    assert asking == Asking(captions=True, phrases=True, absent=2)


def test_ideal_masks_reach_the_limit(batch: Batch) -> None:
    figures = Weak(OURS, Linear(batch.mixture.shape[-1]))(Free(ideal_masks(batch)), batch)
    for name in ("consistency", "separation", "silence"):
        assert float(figures[name]) == pytest.approx(-30, abs=0.5)
    assert float(figures["snr"]) == pytest.approx(30, abs=0.5)
    expected = 0.1 * figures["contrast"] + figures["consistency"] + figures["separation"]
    expected = expected + 0.2 * figures["silence"]
    assert figures["loss"].item() == pytest.approx(float(expected), rel=1e-5)


def test_consistency_of_what_lets_nothing_or_everything_through(batch: Batch) -> None:
    shape = ideal_masks(batch)
    nothing = 10 * math.log10(1 - 0.01 + 1e-3)  # all is left behind, a hundredth is free
    assert consistency_of(batch, torch.zeros_like(shape)) == pytest.approx(nothing, abs=1e-3)
    # The first part gets twice itself, and twice the other, half as strong; the second part
    # itself, and the first, twice as strong.
    first, second = 10 * math.log10(1 - 0.01 + 4 / 2 + 1e-3), 10 * math.log10(2 + 1e-3)
    everything = consistency_of(batch, torch.ones_like(shape))
    assert everything == pytest.approx((first + second) / 2, abs=0.02)


def test_a_small_residual_is_free_and_a_leak_is_not() -> None:
    alone = batch_of([[[("low", tone(1000))], [("top", tone(9000))]]], signs, captions=True)
    ideal = ideal_masks(alone)
    assert consistency_of(alone, 0.92 * ideal) == pytest.approx(-30, abs=0.1)
    left = 10 * math.log10(0.2**2 - 0.01 + 1e-3)
    assert consistency_of(alone, 0.8 * ideal) == pytest.approx(left, abs=0.1)
    leak = 10 * math.log10(0.08**2 + 1e-3)
    assert consistency_of(alone, ideal.clamp(min=0.08)) == pytest.approx(leak, abs=0.1)


def test_the_best_masks_are_wiener_filters() -> None:
    generator = torch.Generator().manual_seed(0)
    parts = [[("one", torch.randn(9600, generator=generator))] for _ in range(2)]
    batch = batch_of([parts], signs, captions=True)
    masker = Spectra()
    power = masker.spectrogram(batch.parts).abs().square()
    wiener = power / power.sum(dim=1, keepdim=True)
    free = Free(wiener.repeat_interleave(2, dim=1))  # a caption and a phrase for each part
    consistency(hear(free, batch)).backward()
    assert free.masks.grad is not None
    assert float(free.masks.grad.abs().max()) < 1e-6


def test_meanings_are_counted_once() -> None:
    items = [[[("rain", tone(1000)), ("bell", tone(2000))], [("rain", tone(3000))]]]
    batch = batch_of(items, signs, captions=True)
    teacher = Linear(batch.mixture.shape[-1])
    heard = hear(Free(ideal_masks(batch)), batch)
    phrases = listen(heard, batch, teacher)
    assert len(phrases.audio) == 3
    texts, positives = unique(phrases)
    torch.testing.assert_close(texts, signs(["bell", "rain"]))
    assert positives.tolist() == [[0, 1], [1, 0], [0, 1]]
    expected = symmetric_contrast(phrases.audio, texts, positives, teacher.scale)
    figures = Weak(config.Weak(absent=0), teacher)(Free(ideal_masks(batch)), batch)
    assert float(figures["contrast"]) == pytest.approx(float(expected.detach()), rel=1e-5)


def test_a_meanings_text_is_the_mean_of_its_phrases() -> None:
    items = [[[("rain", tone(1000))], [("downpour", tone(3000))]]]
    batch = batch_of(items, signs)
    same = replace(batch, meaning=torch.zeros_like(batch.meaning))
    phrases = listen(hear(Free(ideal_masks(batch)), same), same, Linear(9600))
    texts, positives = unique(phrases)
    mean = signs(["rain", "downpour"]).sum(dim=0)
    torch.testing.assert_close(texts[0], mean / mean.norm())
    assert positives.tolist() == [[1], [1]]


def test_answers_are_heard_as_they_sound(batch: Batch) -> None:
    """With ideal masks the teacher hears the sources themselves."""
    teacher = Linear(batch.mixture.shape[-1])
    phrases = listen(hear(Free(ideal_masks(batch)), batch), batch, teacher)
    rows = batch.asks(Role.PHRASE)
    heard = (phrases.audio * teacher.audio(batch.answers[rows], 32_000)).sum(dim=1)
    assert heard.detach().tolist() == pytest.approx([1, 1, 1], abs=0.01)
    assert torch.equal(phrases.texts, batch.targets[rows])
    assert phrases.part.tolist() == [0, 0, 1]


def test_padding_teaches_nothing_and_all_else_does(batch: Batch) -> None:
    masker = Free(torch.full_like(ideal_masks(batch), 0.4))
    Weak(OURS, Linear(batch.mixture.shape[-1]))(masker, batch)["loss"].backward()
    assert masker.masks.grad is not None
    taught = masker.masks.grad.abs().sum((2, 3)) > 0
    assert torch.equal(taught, ~batch.asks(Role.PADDING))


def test_without_phrases_the_rest_is_learnt(batch: Batch) -> None:
    """An item may have captions alone; the contrast then has nothing to compare."""
    mute = replace(
        batch,
        role=batch.role.where(~batch.asks(Role.PHRASE), Role.PADDING),
        weight=torch.zeros_like(batch.weight),
        meaning=torch.full_like(batch.meaning, -1),
    )
    masker = Free(torch.full_like(ideal_masks(batch), 0.4))
    figures = Weak(OURS, Linear(batch.mixture.shape[-1]))(masker, mute)
    figures["loss"].backward()
    assert float(figures["contrast"]) == 0
    assert masker.masks.grad is not None
    assert masker.masks.grad.isfinite().all()


def test_autocast_does_not_round_the_contrast(batch: Batch) -> None:
    masker = Free(torch.full_like(ideal_masks(batch), 0.4))
    objective = Weak(OURS, Deaf(signs(["low", "high", "top"]), scale=100.0))
    plain = objective(masker, batch)
    with torch.autocast("cpu", torch.bfloat16):
        cast = objective(masker, batch)
    torch.testing.assert_close(cast["contrast"], plain["contrast"])
    for name, value in plain.items():
        torch.testing.assert_close(cast[name], value, rtol=0.01, atol=0.01)


def four_items() -> Batch:
    """With different numbers of phrases, and absent queries in two of them only."""
    waves = iter(torch.randn(10, 12, generator=torch.Generator().manual_seed(0)))
    words = [("ab", "c"), ("a", "b"), ("cd", "a"), ("d", "c")]
    items = [[[(word, next(waves)) for word in part] for part in item] for item in words]
    made = batch_of(items, signs, captions=True, absent="z")
    gone = made.asks(Role.ABSENT) & torch.tensor([[True], [True], [False], [False]])
    role = made.role.where(~made.asks(Role.ABSENT) | gone, Role.PADDING)
    return replace(made, role=role)


def half(batch: Batch, rank: int) -> Batch:
    return Batch(**{f.name: getattr(batch, f.name).chunk(2)[rank] for f in fields(batch)})


def learn_half(rank: int, setting: str, folder: str) -> None:
    """In a process of its own: figures and gradient of half the batch, averaged over both."""
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2
    )
    masker = Plain()
    section = config.Weak.model_validate({"setting": setting})
    figures = Weak(section, Linear(12))(masker, half(four_items(), rank))
    figures["loss"].backward()
    assert masker.weight.grad is not None
    rows = torch.cat([torch.stack([*figures.values()]).detach(), masker.weight.grad.flatten()])
    distributed.all_reduce(rows)
    if rank == 0:
        torch.save(rows / 2, f"{folder}/mean.pt")
    distributed.destroy_process_group()


@pytest.mark.parametrize("setting", ["paper", "ours"])
def test_two_processes_are_one_with_twice_the_batch(setting: str, tmp_path: Path) -> None:
    start_processes(learn_half, (setting, str(tmp_path)), nprocs=2, start_method="fork")
    masker = Plain()
    section = config.Weak.model_validate({"setting": setting})
    figures = Weak(section, Linear(12))(masker, four_items())
    figures["loss"].backward()
    assert masker.weight.grad is not None
    rows = torch.cat([torch.stack([*figures.values()]).detach(), masker.weight.grad.flatten()])
    torch.testing.assert_close(torch.load(tmp_path / "mean.pt"), rows, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("contrast", ["infonce", "auc"])
def test_a_lesson(contrast: str) -> None:
    teacher = load_teacher("model:everyday")
    items = (
        mixture(("dog barking",), ("ticking clock",)),
        mixture(("helicopter", "rain"), ("dog barking",)),
    )
    batch = batch_of(items, teacher.texts, captions=True, absent="church bells")
    section = config.Weak.model_validate({"contrast": contrast})
    first, last = learnt(Weak(section, teacher), [batch], teacher)
    assert last < first - 5  # dB
