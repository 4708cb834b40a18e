"""Which clips form a mixture."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sepcli.errors import UsageError
from sepcli.training.config import MixingConfig
from sepcli.training.corpora.clip import Clip
from sepcli.training.mixing.draw import draw
from sepcli.training.mixing.kinship import subject
from sepcli.training.mixing.pantry import Pantry

Make = Callable[..., Clip]
Stock = Callable[..., Pantry]
CAPTIONS = ("A cat meows", "Sheep bleat", "Frogs croak and a cow moos", "A cat and an engine")


def drawn(pantry: Pantry, seed: int, **mixing: object) -> list[list[Clip]]:
    return draw(pantry, MixingConfig(**mixing), random.Random(seed))


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 10**9),
    parts=st.integers(1, 3),
    most=st.integers(1, 4),
    captioned=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_kin_never_meet(both: Pantry, seed: int, parts: int, most: int, captioned: float) -> None:
    mixing = {"sources": {most: 1.0}, "captioned": captioned, "backgrounds": 0.3}
    found = drawn(both, seed, parts=parts, **mixing)
    assert len(found) == parts
    clips = [clip for part in found for clip in part]
    assert len(set(clips)) == len(clips)
    for a, b in combinations(map(subject, clips), 2):
        assert not both.kinship.related(a, b)
    for part in found:
        assert part[0].labels != ("ambience_mixed",)
        assert len(part) == 1 or not any(clip.caption for clip in part)


@pytest.fixture
def both(pantry: Pantry, clip: Make, stock: Stock) -> Pantry:
    """Single sounds and recordings."""
    return stock(*pantry.clips, *(clip(caption=caption) for caption in CAPTIONS))


def test_parts_have_as_many_sources_as_they_should(pantry: Pantry) -> None:
    sources = {1: 1.0, 2: 6.0, 3: 3.0}
    counts = Counter(len(drawn(pantry, seed, sources=sources)[0]) for seed in range(1000))
    assert [counts[n] / 1000 for n in (1, 2, 3)] == pytest.approx([0.1, 0.6, 0.3], abs=0.05)


def test_every_part_comes_before_the_second_source_of_any(clip: Make, stock: Stock) -> None:
    pantry = stock(clip("dog"), clip("rain"), clip("piano"))
    for seed in range(20):
        found = drawn(pantry, seed, parts=2, sources={3: 1.0})
        assert [len(part) for part in found] == [2, 1]


def test_backgrounds_come_as_often_as_they_should(pantry: Pantry) -> None:
    seconds = [
        drawn(pantry, seed, sources={2: 1.0}, backgrounds=0.2)[0][1].label for seed in range(1000)
    ]
    assert seconds.count("ambience_mixed") / 1000 == pytest.approx(0.2, abs=0.04)


def test_recordings_come_as_often_as_they_should(both: Pantry) -> None:
    found = [bool(drawn(both, seed, captioned=0.25)[0][0].caption) for seed in range(1000)]
    assert sum(found) / 1000 == pytest.approx(0.25, abs=0.04)


def test_recordings_alone_always_come(clip: Make, stock: Stock) -> None:
    pantry = stock(clip(caption="A cat meows"), clip(caption="Sheep bleat"))
    assert len(drawn(pantry, 0, parts=2, captioned=0.0)) == 2
    with pytest.raises(UsageError, match="3 parts") as caught:
        drawn(pantry, 0, parts=3)
    assert "add clips" in caught.value.remedy


def test_too_few_kinds_for_the_parts(clip: Make, stock: Stock) -> None:
    with pytest.raises(UsageError, match="as many unlike kinds of sound; the corpora have 1"):
        drawn(stock(clip("dog"), clip("wolf_howl")), 0, parts=2)
