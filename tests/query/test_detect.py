"""Windows beside names: when a sound is heard, which names mean one sound, what is silence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from sepcli.errors import UsageError
from sepcli.query.detect import (
    ALIKE,
    NEAREST,
    SHORTLIST,
    UNSURE,
    WEIGHT,
    Detector,
    Presence,
    extend,
    is_audible,
    merged,
    no_presence,
)
from sepcli.query.labels import audioset_names, wanted_labels
from sepcli.registry.store import Registry
from sepcli.separation.detection import listener
from sepcli.separation.inputs import Source

RATE = 1000
AUDIO = Path(__file__).parents[2] / "examples/audio"

# Names in a plane: "dog" and "bark" are 30 degrees apart, "rain" is at right angles to "dog".
ANGLES = {"dog": 0.0, "bark": 30.0, "rain": 90.0}
TEXTS = torch.tensor([[np.cos(np.radians(a)), np.sin(np.radians(a))] for a in ANGLES.values()])


def ear(wave: NDArray[np.float32], rate: int) -> Tensor:
    """Hears how much of a window is at 1 and at -1: dogs and rain."""
    assert rate == RATE
    dogs, rain = float((wave > 0).mean()), float((wave < 0).mean())
    return normalize(torch.tensor([dogs, rain], dtype=torch.float32), dim=0)


def detector(
    threshold: float,
    labels: tuple[str, ...] = tuple(ANGLES),
    presence: Presence = no_presence,
) -> Detector:
    rows = TEXTS[[list(ANGLES).index(label) for label in labels]].float()
    return Detector(labels, rows, ear, threshold, presence)


def blocks(*seconds: float) -> Iterator[NDArray[np.float32]]:
    """A block of each second: 1 for dogs, -1 for rain, 0 for silence."""
    return iter([np.full((RATE, 1), value, np.float32) for value in seconds])


def test_sounds_with_their_times() -> None:
    # Of the windows of 2 s that begin every second, those at 0, 1, 2 and 6 hold a dog alone, and
    # that at 8 rain alone; at 7 both are at 45 degrees, too far from either.
    heard = blocks(1, 1, 1, 0, 0, 0, 0, 1, -1, -1)
    dog, rain = detector(0.9, ("dog", "rain")).listen(heard, RATE).sounds
    assert (dog.label, dog.spans) == ("dog", ((0.0, 4.0), (6.0, 8.0)))
    assert (rain.label, rain.spans) == ("rain", ((8.0, 10.0),))
    assert dog.score == pytest.approx(1)
    assert dog.seconds == 6


def test_alike_names_are_one_sound() -> None:
    (dog,) = detector(0.8).listen(blocks(1, 1, 1), RATE).sounds
    assert (dog.label, dog.also) == ("dog", ("bark",))
    assert float(TEXTS[0] @ TEXTS[1]) >= ALIKE > float(TEXTS[1] @ TEXTS[2])


def test_the_surest_comes_first_and_only_what_reaches_the_threshold() -> None:
    found = detector(0.4).listen(blocks(1, 1, -1, -1, -1, -1), RATE).sounds
    assert [sound.label for sound in found] == ["dog", "rain"]
    assert detector(1.1).listen(blocks(1, 1), RATE).sounds == ()
    exactly = float(detector(0).cosines(np.ones((RATE, 1), np.float32), RATE)[1])
    assert len(detector(exactly).listen(blocks(1, 1), RATE).sounds[0].also) == 1
    assert not detector(exactly + 1e-6).listen(blocks(1, 1), RATE).sounds[0].also


def test_where_nothing_is_found_the_nearest_are_told() -> None:
    found = detector(1.1).listen(blocks(1, 1, -1, -1, -1, -1), RATE)
    assert (found.sounds, [label for label, _ in found.nearest]) == ((), ["dog", "rain"])
    assert [score for _, score in found.nearest] == pytest.approx([1, 1])
    assert detector(0.8).listen(blocks(1, 1), RATE).nearest == ()
    assert detector(0.8).listen(blocks(0, 0), RATE).nearest == ()
    names = tuple(map(str, range(NEAREST + 1)))
    likely = normalize(torch.arange(1.0, NEAREST + 2), dim=0)
    many = Detector(names, torch.eye(NEAREST + 1), lambda *_: likely, 2).listen(blocks(1), RATE)
    assert [label for label, _ in many.nearest] == list(reversed(names))[:NEAREST]


def test_times_begin_where_the_part_begins() -> None:
    (dog,) = detector(0.9, ("dog",)).listen(blocks(1, 1, 1), RATE, start=60.0).sounds
    assert dog.spans == ((60.0, 63.0),)


def test_short_and_silent_recordings() -> None:
    (dog,) = detector(0.9, ("dog",)).listen(iter([np.ones((10, 1), np.float32)]), RATE).sounds
    assert dog.spans == ((0, 0.01),)
    assert detector(-1).listen(blocks(0, 0, 0), RATE).sounds == ()
    assert detector(-1).listen(iter([]), RATE).sounds == ()


def test_what_is_audible() -> None:
    level = 10 ** (-60 / 20)
    assert is_audible(np.full((5, 2), 1.01 * level, np.float32))
    assert not is_audible(np.full((5, 2), 0.99 * level, np.float32))


def test_windows_are_heard_one_by_one() -> None:
    lengths: list[int] = []

    def counting(wave: NDArray[np.float32], rate: int) -> Tensor:
        lengths.append(len(wave))
        return ear(wave, rate)

    hours = (np.full((RATE, 1), 1, np.float32) for _ in range(600))
    (dog,) = Detector(("dog",), TEXTS[:1].float(), counting, 0.9).listen(hours, RATE).sounds
    assert dog.spans == ((0.0, 600.0),)
    assert len(lengths) == 599 + 4  # four windows are of the last two stretches
    assert set(lengths) == {2 * RATE}


def test_an_encoder_of_two_spaces_is_refused() -> None:
    wide = Detector(("dog",), torch.ones(1, 3), ear, 0.5)
    with pytest.raises(UsageError, match="cannot compare"):
        wide.listen(blocks(1), RATE)


class Judge:
    """Says the same of every query, and remembers what it was asked about."""

    def __init__(self, presence: float) -> None:
        self.presence = presence
        self.asked: list[tuple[int, list[list[float]]]] = []  # samples, queries

    def __call__(
        self, wave: NDArray[np.float32], rate: int, queries: Tensor
    ) -> NDArray[np.float32]:
        assert rate == RATE
        self.asked.append((len(wave), queries.tolist()))
        return np.full(len(queries), self.presence, np.float32)


@pytest.mark.parametrize("presence", [0.0, UNSURE, 1.0])
def test_the_separators_judgement_moves_the_score(presence: float) -> None:
    judge = Judge(presence)
    (dog,) = detector(0.5, ("dog",), judge).listen(blocks(1, 1), RATE).sounds
    assert dog.score == pytest.approx(1 + WEIGHT * (presence - UNSURE))
    assert detector(0.5, ("dog",)).listen(blocks(1, 1), RATE).sounds[0].score == pytest.approx(1)


def test_sounds_are_judged_once_for_all_of_their_names() -> None:
    judge = Judge(1.0)
    (dog,) = detector(0.8, ("bark", "dog"), judge).listen(blocks(1, 1, 1), RATE).sounds
    assert (dog.label, dog.also) == ("dog", ("bark",))
    assert judge.asked == [(3 * RATE, [[1.0, 0.0]])]  # of the dog alone, in all windows at once
    judged, plain = (
        detector(0.8, presence=p).scores(next(blocks(1)), RATE) for p in (judge, no_presence)
    )
    bonus = judged[0][1] - plain[0][1]
    np.testing.assert_allclose(bonus, [WEIGHT * (1 - UNSURE)] * 2 + [0], atol=1e-7)


def test_what_no_judgement_could_save_is_not_asked_about() -> None:
    judge, most = Judge(1.0), WEIGHT * (1 - UNSURE)
    cosine = float(detector(0).cosines(np.ones((RATE, 1), np.float32), RATE)[1])
    (bark,) = detector(cosine + 0.99 * most, ("bark",), judge).listen(blocks(1), RATE).sounds
    assert bark.score == pytest.approx(cosine + most)
    assert detector(cosine + 1.01 * most, ("bark",), judge).listen(blocks(1), RATE).sounds == ()
    assert len(judge.asked) == 1


def test_the_likeliest_are_judged() -> None:
    judge, count = Judge(1.0), SHORTLIST + 3
    texts = torch.eye(count)
    likely = normalize(torch.linspace(1, 2, count), dim=0)
    ears = Detector(tuple(map(str, range(count))), texts, lambda *_: likely, -1, judge)
    ears.listen(blocks(1), RATE)
    ((_, queries),) = judge.asked
    assert queries == texts.flip(0)[:SHORTLIST].tolist()


def test_stretches_of_long_recordings_are_judged_one_by_one() -> None:
    judge = Judge(1.0)
    (dog,) = detector(0.9, ("dog",), judge).listen(blocks(*[1] * 25), RATE).sounds
    assert dog.spans == ((0.0, 25.0),)
    assert [samples for samples, _ in judge.asked] == [10_000] * 3  # from 0, 9 and 15 s on
    spans = [span for span, _ in detector(0).scores(np.ones((10 * RATE, 1), np.float32), RATE)]
    assert spans == [(float(n), float(n + 2)) for n in range(9)]


def test_spans_are_joined_where_they_touch() -> None:
    assert merged([(3, 4), (0, 1), (1, 2)]) == ((0, 2), (3, 4))
    spans = [(0.0, 5.0)]
    extend(spans, (1.0, 2.0))
    assert spans == [(0.0, 5.0)]


def test_audiosets_names() -> None:
    names = audioset_names()
    assert len(names) == 527
    assert names[0] == "Speech"
    assert "Male speech, man speaking" in names


def test_lists_of_names(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text("\ufeffid,label\n1,dog\n2, rain \n3,\n", encoding="utf-8")
    assert wanted_labels("cat, dog,", path) == ("cat", "dog", "rain")


def test_the_shipped_model_hears_the_dog_and_then_the_rooster() -> None:
    ears = listener(Registry().find("everyday"), ("dog", "rooster", "piano", "speech"), 0.25)
    (dog, *_) = ears.search(Source(AUDIO / "truth/dog_and_rain.dog-barking.flac")).sounds
    assert dog.label == "dog"
    (rooster, *_) = ears.search(Source(AUDIO / "rooster_and_helicopter.flac")).sounds
    assert rooster.label == "rooster"
    brief = Source(AUDIO / "rooster_and_helicopter.flac", start=4.9, end=4.95)
    assert not ears.search(brief).sounds
