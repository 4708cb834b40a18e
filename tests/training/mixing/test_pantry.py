"""What is drawn from a pantry, and how often."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from sepcli.errors import ItemError
from sepcli.training.corpora.clip import Clip
from sepcli.training.mixing.kinship import subject
from sepcli.training.mixing.level import LEVEL, active_rms
from sepcli.training.mixing.pantry import Pantry, is_single, seconds
from sepcli.training.mixing.wording import meaning

Make = Callable[..., Clip]
Stock = Callable[..., Pantry]


def shares(pantry: Pantry, draws: int = 4000) -> dict[str, float]:
    rng = random.Random(0)
    counts = Counter(pantry.label(rng) for _ in range(draws))
    return {label: count / draws for label, count in counts.items()}


def test_single_sounds_and_recordings(clip: Make, stock: Stock) -> None:
    clips = [
        clip("dog"),
        clip("dog", "rain"),
        clip("dog", caption="A dog barks"),
        clip(phrases=("rain",)),
    ]
    assert [is_single(c) for c in clips] == [True, False, False, False]
    pantry = stock(*clips)
    assert pantry.singles == {"dog": [clips[0]]}
    assert pantry.recordings == clips[1:]


def test_chances_grow_with_the_root_of_the_duration(clip: Make, stock: Stock) -> None:
    long, longer = replace(clip("rain"), duration=120.0), replace(clip("piano"), duration=1e6)
    found = shares(stock(replace(clip("dog"), duration=30.0), long, longer))
    assert found["dog"] == pytest.approx(0.2, abs=0.02)
    assert found["rain"] == pytest.approx(0.4, abs=0.025)
    assert found["piano"] == pytest.approx(0.4, abs=0.025)


def test_emphasis_multiplies_chances(clip: Make, stock: Stock) -> None:
    pantry = stock(clip("dog"), clip("rain"), emphasis={"dog": 3.0})
    assert shares(pantry)["dog"] == pytest.approx(0.75, abs=0.03)
    assert shares(pantry.among(pantry.clips))["dog"] == pytest.approx(0.75, abs=0.03)


def test_backgrounds_are_never_asked_for(pantry: Pantry) -> None:
    assert pantry.backgrounds == ["ambience_mixed"]
    assert set(pantry.labels) - set(pantry.asked) == {"ambience_mixed"}
    rng = random.Random(0)
    drawn = Counter(pantry.companion(rng, ["dog"], 0.25) for _ in range(2000))
    assert drawn["ambience_mixed"] / 2000 == pytest.approx(0.25, abs=0.03)
    assert not {"dog", "wolf_howl"} & set(drawn)
    assert "ambience_mixed" not in {pantry.companion(rng, [], 0.0) for _ in range(200)}


def test_windows_are_at_level(pantry: Pantry) -> None:
    for seed in range(5):
        wave = pantry.window("dog", 12_000, random.Random(seed))
        assert active_rms(wave) == pytest.approx(LEVEL, rel=1e-4)


def test_the_last_recording_that_fits_is_found(clip: Make, stock: Stock) -> None:
    dogs = [clip(caption=f"Dog number {index} barks") for index in range(200)]
    train = clip(caption="A train passes")
    pantry = stock(*dogs, train)
    heard = [subject(dogs[0])]
    assert {pantry.recording(random.Random(s), heard) for s in range(5)} == {train}
    assert pantry.recording(random.Random(0), [*heard, subject(train)]) is None
    assert stock(clip("dog")).recording(random.Random(0), []) is None


def test_what_one_phrase_may_mean_is_one_sense(clip: Make, stock: Stock) -> None:
    pantry = stock(clip("speech_male"), clip("speech"), clip("dog"), clip("zither"))
    assert pantry.sense("speech_male") == pantry.sense("speech_female") == pantry.sense("speech")
    assert pantry.sense("dog") == "dog"
    assert pantry.sense("zither") == "zither"
    assert meaning(pantry.sense("speech_male")) != meaning(pantry.sense("dog"))


def test_durations_are_read_where_nobody_said_them(clip: Make) -> None:
    known = clip("dog", seconds=2.5)
    assert seconds(replace(known, duration=0.5)) == 0.5
    assert seconds(replace(known, duration=None)) == 2.5
    assert seconds(replace(known, duration=None, start=1.0)) == 1.5
    assert seconds(replace(known, duration=None, start=3.0)) == 0
    with pytest.raises(ItemError, match="nowhere"):
        seconds(replace(known, duration=None, path=known.path.with_name("nowhere.wav")))
