"""Batches: the same whoever makes them, and answers that are right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import pytest
import torch
from conftest import LABELS, Reader

from sepcli.errors import UsageError
from sepcli.training.config import Semi, SeparatorConfig
from sepcli.training.corpora.clip import Clip
from sepcli.training.mixing.batch import Asking, Batch, Role
from sepcli.training.mixing.examiner import Examiner
from sepcli.training.mixing.pantry import Pantry
from sepcli.training.mixing.pools import is_known, split_pantry
from sepcli.training.teacher import load_teacher

RATE = 8000  # Hz
Make = Callable[..., Clip]
Stock = Callable[..., Pantry]
Configure = Callable[..., SeparatorConfig]
ALL = Asking(captions=True, phrases=True, absent=1)
PARTS = {"parts": 2, "sources": {1: 1.0, 2: 1.0}}


def equal(a: Batch, b: Batch) -> bool:
    return all(torch.equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(Batch))


def some(batch: Batch, items: slice) -> Batch:
    return Batch(**{f.name: getattr(batch, f.name)[items] for f in fields(Batch)})


@pytest.mark.parametrize("asking", [ALL, Asking(sampled=2, absent_share=0.25)])
def test_two_halves_are_the_whole(pantry: Pantry, config: Configure, asking: Asking) -> None:
    noisy = config(mixing=PARTS, query_noise=0.2, example_queries=0.3)
    whole = Examiner(noisy, pantry, Reader(), asking, RATE).batch(3, 0, 8)
    # Another process has read and heard nothing before.
    other = Examiner(noisy, pantry.among(pantry.clips), Reader(), asking, RATE)
    assert equal(some(whole, slice(4, 8)), other.batch(3, 4, 4))
    assert equal(some(whole, slice(0, 4)), other.batch(3, 0, 4))


def test_seed_and_draw_decide(pantry: Pantry, config: Configure) -> None:
    def mixture(seed: int, draw: int | str) -> torch.Tensor:
        examiner = Examiner(config(seed=seed), pantry, Reader(), ALL, RATE)
        return examiner.batch(draw, 0, 2).mixture

    assert torch.equal(mixture(0, 1), mixture(0, 1))
    others = [mixture(1, 1), mixture(0, 2), mixture(0, "presence/1")]
    assert not any(torch.equal(mixture(0, 1), other) for other in others)


def test_shapes_and_sums(pantry: Pantry, config: Configure) -> None:
    batch = Examiner(config(mixing=PARTS), pantry, Reader(), ALL, RATE).batch(0, 0, 8)
    assert batch.mixture.shape == (8, 800)
    assert batch.parts.shape == (8, 2, 800)
    assert batch.answers.shape == (8, 7, 800)
    assert batch.queries.shape == batch.targets.shape == (8, 7, 16)
    assert batch.role.shape == batch.part.shape == batch.known.shape == (8, 7)
    assert (batch.known.dtype, batch.meaning.dtype) == (torch.bool, torch.int64)
    assert torch.equal(batch.parts[:, 0] + batch.parts[:, 1], batch.mixture)
    assert torch.equal(batch.parts.sum(dim=1), batch.mixture)
    assert torch.equal(batch.answers[:, :2], batch.parts)
    summed = (batch.answers * batch.weight[..., None])[:, 2:6].unflatten(1, (2, 2)).sum(dim=2)
    assert torch.equal(summed, batch.parts)
    assert not batch.answers[batch.asks(Role.ABSENT) | batch.asks(Role.PADDING)].any()
    assert torch.equal(batch.weight > 0, batch.asks(Role.PHRASE))
    assert torch.equal(batch.meaning >= 0, batch.asks(Role.PHRASE))
    assert torch.equal(~batch.known, batch.asks(Role.PADDING))


def test_questions_are_embedded_in_words(pantry: Pantry, config: Configure) -> None:
    reader = Reader()
    batch = Examiner(config(mixing=PARTS), pantry, reader, ALL, RATE).batch(0, 0, 8)
    assert len(set(reader.read)) == len(reader.read)  # each text is read once
    asked = ~batch.asks(Role.PADDING)
    assert torch.equal(batch.queries, batch.targets)
    torch.testing.assert_close(batch.targets[asked].norm(dim=-1), torch.ones(int(asked.sum())))
    assert not batch.targets[~asked].any()
    # Equal meanings are asked in other words; equal texts are equal vectors.
    assert any(torch.equal(batch.targets[0, 0], reader.texts([text])[0]) for text in reader.read)


def test_noise_moves_queries_a_little(pantry: Pantry, config: Configure) -> None:
    examiner = Examiner(config(query_noise=0.2), pantry, Reader(), Asking(captions=True), RATE)
    batch = examiner.batch(0, 0, 8)
    torch.testing.assert_close(batch.queries.norm(dim=-1), torch.ones(8, 1))
    cosine = (batch.queries * batch.targets).sum(dim=-1)
    # A step of 0.2 away from a vector of length 1 turns it by at most asin(0.2).
    assert cosine.min() > (1 - 0.2**2) ** 0.5 - 1e-5
    assert cosine.max() < 1 - 1e-4
    deaf = Examiner(config(query_noise=0.2), pantry, Reader(hears=False), ALL, RATE).batch(0, 0, 4)
    assert torch.equal(deaf.queries, deaf.targets)


def test_some_questions_are_asked_by_example(pantry: Pantry, config: Configure) -> None:
    examples = config(example_queries=0.3, mixing={"sources": {2: 1.0}})
    for hears, share in ((True, 0.3), (False, 0.0)):
        examiner = Examiner(examples, pantry, Reader(hears), ALL, RATE)
        batch = examiner.batch(0, 0, 200)
        heard = (batch.queries != batch.targets).any(dim=-1)
        assert not heard[batch.asks(Role.CAPTION)].any()
        rest = batch.asks(Role.PHRASE) | batch.asks(Role.ABSENT)
        assert float(heard[rest].float().mean()) == pytest.approx(share, abs=0.06)


def test_the_shipped_clap_hears_examples(pantry: Pantry, config: Configure) -> None:
    examples = config(example_queries=1.0, seconds=0.5)
    teacher = load_teacher("model:everyday")
    batch = Examiner(examples, pantry, teacher, Asking(sampled=2), RATE).batch(0, 0, 2)
    assert batch.queries.shape == (2, 2, teacher.dimension)
    torch.testing.assert_close(batch.queries.norm(dim=-1), torch.ones(2, 2))
    assert not torch.allclose(batch.queries, batch.targets, atol=0.1)


def test_backgrounds_are_mixed_only_where_questions_are_sampled(
    pantry: Pantry, config: Configure
) -> None:
    loud = config(mixing={"sources": {2: 1.0}, "backgrounds": 1.0})
    all_asked = Examiner(loud, pantry, Reader(), Asking(phrases=True), RATE).batch(0, 0, 8)
    assert bool(all_asked.asks(Role.PHRASE).all())
    sampled = Examiner(loud, pantry, Reader(), Asking(sampled=2), RATE).batch(0, 0, 8)
    assert torch.equal(sampled.meaning[:, 0], sampled.meaning[:, 1])
    assert torch.equal(sampled.weight, torch.full((8, 2), 0.5))


def test_validation_asks_for_two_sources(pantry: Pantry, config: Configure) -> None:
    changed = config(
        seed=5, mixing=PARTS, query_noise=0.2, example_queries=1.0, objective={"name": "weak"}
    )
    examiner = Examiner(changed, pantry, Reader(), ALL, RATE).validation()
    batch = examiner.batch(0, 0, 8)
    assert batch.role.tolist() == [[Role.PHRASE, Role.PHRASE, Role.ABSENT]] * 8
    assert batch.known.all()
    assert torch.equal(batch.answers[:, 0] + batch.answers[:, 1], batch.mixture)
    assert torch.equal(batch.queries, batch.targets)
    again = Examiner(config(seed=6), pantry, Reader(), ALL, RATE).validation()
    assert torch.equal(again.batch(0, 0, 8).mixture, batch.mixture)


def test_validation_of_recordings_asks_for_captions(
    clip: Make, stock: Stock, config: Configure
) -> None:
    captions = ("Cats meow", "Sheep bleat", "A train passes")
    told = stock(*(clip(caption=caption) for caption in captions), clip("dog"))
    for mixing in (PARTS, {"sources": {2: 1.0}}):
        examiner = Examiner(config(mixing=mixing), told, Reader(), ALL, RATE).validation()
        batch = examiner.batch(0, 0, 8)
        assert batch.role.tolist() == [[Role.CAPTION, Role.CAPTION, Role.ABSENT]] * 8
        assert torch.equal(batch.answers[:, :2], batch.parts)


def test_doubts_are_about_half_of_the_questions(pantry: Pantry, config: Configure) -> None:
    examiner = Examiner(config(mixing={"backgrounds": 0.0}), pantry, Reader(), ALL, RATE)
    role = examiner.doubting().batch(0, 0, 16).role
    assert role.tolist() == [[Role.PHRASE, Role.ABSENT]] * 16


def test_sounds_have_the_networks_rate(pantry: Pantry, config: Configure) -> None:
    with pytest.raises(ValueError, match="16000 Hz, the sounds have 8000"):
        Examiner(config(), pantry, Reader(), ALL, 16_000)


def semi(config: Configure, fraction: float = 0.5, share: float = 0.5) -> SeparatorConfig:
    return config(mixing=PARTS, objective=Semi(name="semi", fraction=fraction, share=share))


@pytest.fixture
def many(clip: Make, stock: Stock) -> Pantry:
    return stock(*(clip(label) for label in LABELS for _ in range(8)))


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_the_first_items_of_a_batch_have_known_sources(
    many: Pantry, config: Configure, share: float
) -> None:
    examiner = Examiner(semi(config, share=share), many, Reader(), ALL, RATE)
    batch = examiner.batch(0, 0, 8)
    phrases = batch.asks(Role.PHRASE)
    first = torch.arange(8) < 8 * share
    assert torch.equal(batch.known & phrases, phrases & first[:, None])
    assert not batch.answers[phrases & ~first[:, None]].any()
    assert batch.known[batch.asks(Role.CAPTION) | batch.asks(Role.ABSENT)].all()
    assert equal(some(batch, slice(2, 5)), examiner.batch(0, 2, 3))
    assert examiner.validation().batch(0, 0, 8).known.all()
    assert examiner.doubting().batch(0, 0, 8).known.all()


def test_known_and_unknown_clips_never_swap(many: Pantry, clip: Make, stock: Stock) -> None:
    captioned = clip(caption="Cats meow")
    pantry = stock(*many.clips, captioned)
    known, rest = split_pantry(pantry, 0.25)
    assert set(known.clips) | set(rest.clips) == set(pantry.clips)
    assert not set(known.clips) & set(rest.clips)
    assert captioned in rest.clips
    assert set(known.clips) <= set(split_pantry(pantry, 0.75)[0].clips)
    assert not split_pantry(pantry, 0.0)[0].clips
    assert split_pantry(pantry, 1.0)[1].clips == (captioned,)


def test_the_fraction_is_of_origins(clip: Make) -> None:
    clips = [replace(clip("dog"), origin=f"package-{n}") for n in range(1)] * 2
    assert is_known(clips[0], 0.5) == is_known(clips[1], 0.5)
    found = [is_known(replace(clips[0], origin=f"package-{n}"), 0.3) for n in range(1000)]
    assert sum(found) / 1000 == pytest.approx(0.3, abs=0.04)


@pytest.mark.parametrize(
    ("fraction", "share", "message"),
    [
        (0.0, 0.5, "0 kinds of single sounds .* whose sources are known"),
        (1.0, 0.5, "0 kinds of single sounds .* whose sources are not known"),
    ],
)
def test_pools_that_are_too_small(
    pantry: Pantry, config: Configure, fraction: float, share: float, message: str
) -> None:
    examiner = Examiner(semi(config, fraction, share), pantry, Reader(), ALL, RATE)
    with pytest.raises(UsageError, match=message) as caught:
        examiner.batch(0, 0, 1)
    assert "mixtures need 2 kinds, or 2 recordings" in caught.value.remedy
    # Validation and the presence score mix what there is.
    assert examiner.validation().batch(0, 0, 1).known.all()
    assert examiner.doubting().batch(0, 0, 1).known.all()


def test_pools_that_are_not_needed(pantry: Pantry, config: Configure) -> None:
    for fraction, share in ((0.0, 0.0), (1.0, 1.0)):
        Examiner(semi(config, fraction, share), pantry, Reader(), ALL, RATE).batch(0, 0, 2)


def test_too_few_kinds(clip: Make, stock: Stock, config: Configure) -> None:
    alike = stock(clip("dog"), clip("wolf_howl"))
    with pytest.raises(UsageError, match="1 kinds of single sounds"):
        Examiner(config(mixing=PARTS), alike, Reader(), ALL, RATE).batch(0, 0, 1)
