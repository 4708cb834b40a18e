"""Mixtures: decided by their seed, at the right level, and sums to the last bit."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from sepcli.training.config import MixingConfig
from sepcli.training.corpora.clip import Clip
from sepcli.training.mixing.example import Example, mix, total
from sepcli.training.mixing.level import active_rms
from sepcli.training.mixing.pantry import Pantry
from sepcli.training.ontology import TEMPLATES

RATE = 8000  # Hz
SAMPLES = 1600
Make = Callable[..., Clip]
Stock = Callable[..., Pantry]


def mixed(pantry: Pantry, seed: int, **mixing: object) -> Example:
    return mix(pantry, MixingConfig(**mixing), SAMPLES, random.Random(seed))


def test_an_example_is_decided_by_its_seed(pantry: Pantry) -> None:
    one, two, other = (mixed(pantry, seed, parts=2) for seed in (7, 7, 8))
    np.testing.assert_array_equal(one.wave, two.wave)
    assert [(p.caption, p.phrases) for p in one.parts] == [
        (p.caption, p.phrases) for p in two.parts
    ]
    assert not np.array_equal(one.wave, other.wave)


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_sources_are_their_part_and_parts_the_mixture_to_the_last_bit(
    pantry: Pantry, parts: int
) -> None:
    for seed in range(20):
        example = mixed(pantry, seed, parts=parts, sources={1: 1.0, 2: 1.0, 3: 1.0})
        whole = np.zeros(SAMPLES, np.float32)
        for part in example.parts:
            assert part.sources is not None
            assert len(part.sources) == len(part.labels) == len(part.phrases)
            summed = np.zeros(SAMPLES, np.float32)
            for source in part.sources:
                summed = summed + source
            assert part.wave.dtype == np.float32
            np.testing.assert_array_equal(part.wave, summed)
            whole = whole + part.wave
        np.testing.assert_array_equal(example.wave, whole)
        np.testing.assert_allclose(
            whole, sum(p.wave.astype(float) for p in example.parts), 1e-5, 1e-6
        )


def test_gains_between_sources_and_levels_of_mixtures(pantry: Pantry) -> None:
    first, against = [], []
    for seed in range(400):
        (part,) = mixed(pantry, seed, sources={2: 1.0}, level_db=(-10, 0), lowpassed=0).parts
        assert part.sources is not None
        levels = [20 * np.log10(active_rms(wave)) for wave in part.sources]
        first.append(levels[0] + 20)
        against.append(levels[1] - levels[0])
    assert min(first) == pytest.approx(-10, abs=0.2)
    assert max(first) == pytest.approx(0, abs=0.2)
    assert np.mean(first) == pytest.approx(-5, abs=0.5)
    assert np.mean(against) == pytest.approx(0, abs=0.6)
    assert np.std(against) == pytest.approx(4, rel=0.1)


def test_gains_also_lie_between_parts(pantry: Pantry) -> None:
    values = {"sources": {1: 1.0}, "level_db": (0, 0), "lowpassed": 0}
    rows = [
        [active_rms(p.wave) for p in mixed(pantry, s, parts=2, **values).parts] for s in range(200)
    ]
    first, second = 20 * np.log10(np.array(rows).T)
    np.testing.assert_allclose(first, -20, atol=1e-3)
    assert np.std(second) == pytest.approx(4, rel=0.15)


def highest(pantry: Pantry, seed: int, lowpassed: float) -> float:
    """Where a mixture's spectrum ends, Hz."""
    spectrum = np.abs(np.fft.rfft(mixed(pantry, seed, lowpassed=lowpassed, level_db=(0, 0)).wave))
    return float(np.flatnonzero(spectrum > 1e-3).max() * pantry.sounds.rate / SAMPLES)


def test_mixtures_lose_what_is_above_a_cutoff_of_3_to_10_khz(clip: Make, stock: Stock) -> None:
    hiss = stock(clip("rain", rate=32_000), clip("dog", rate=32_000), rate=32_000)
    # The filter's gain is zero half an octave above its cut-off.
    cutoffs = np.array([highest(hiss, seed, 1.0) for seed in range(150)]) / np.sqrt(2)
    assert cutoffs.min() == pytest.approx(3000, abs=250)
    assert cutoffs.max() == pytest.approx(10_000, abs=250)
    ends = np.array([highest(hiss, seed, 0.3) for seed in range(200)])
    assert (ends < 15_000).mean() == pytest.approx(0.3, abs=0.08)


def test_what_is_said_of_single_sounds(pantry: Pantry) -> None:
    names = {label: pantry.ontology.names(label) for label in pantry.labels}
    for seed in range(50):
        (part,) = mixed(pantry, seed, sources={2: 1.0}).parts
        said = [{t.format(n) for t in TEMPLATES for n in names[label]} for label in part.labels]
        assert all(phrase in known for phrase, known in zip(part.phrases, said, strict=True))
        first, second = (names[label] for label in part.labels)
        assert part.caption in {
            t.format(f"{a} and {b}") for t in TEMPLATES for a in first for b in second
        }
        (alone,) = mixed(pantry, seed, sources={1: 1.0}).parts
        assert alone.phrases == (alone.caption,)


@pytest.mark.parametrize(
    ("values", "phrases", "caption", "alone"),
    [
        ({"caption": "Cats meow", "phrases": ("a", "b")}, ("a", "b"), "Cats meow", False),
        ({"phrases": ("a", "b", "a")}, ("a", "b", "a"), "a, b and a", False),
        ({"phrases": ("a", "b", "c", "d")}, ("a and d", "b", "c"), "a, b, c and d", False),
        ({"caption": "Cats meow"}, ("Cats meow",), "Cats meow", True),
        ({"phrases": ("a",)}, ("a",), "a", True),
    ],
)
def test_what_is_said_of_recordings(
    clip: Make,
    stock: Stock,
    values: dict[str, object],
    phrases: tuple[str, ...],
    caption: str,
    alone: bool,
) -> None:
    (part,) = mixed(stock(clip(**values)), 0).parts
    assert (part.phrases, part.caption, part.labels) == (phrases, caption, ())
    assert (part.sources is not None) == alone
    if part.sources is not None:
        np.testing.assert_array_equal(part.sources[0], part.wave)


def test_recordings_with_labels_alone_keep_them(clip: Make, stock: Stock) -> None:
    pantry = stock(clip("dog", "rain"))
    (part,) = mixed(pantry, 3).parts
    assert part.labels == ("dog", "rain")
    assert part.sources is None
    assert any(name in part.phrases[1] for name in pantry.ontology.names("rain"))


def test_totals_are_new_arrays() -> None:
    waves = np.ones((3, 4), np.float32)
    np.testing.assert_array_equal(total(waves), [3, 3, 3, 3])
    np.testing.assert_array_equal(waves, 1)
