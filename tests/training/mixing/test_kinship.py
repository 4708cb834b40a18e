"""What must not meet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sepcli.training.corpora.clip import Clip
from sepcli.training.mixing.kinship import Kinship, Subject, subject
from sepcli.training.ontology import Ontology

GROUPS = {"dog": "dog", "wolf": "dog", "rain": "water", "shower": "bath", "noise": "anything"}
PHRASES = {
    "dog": ("dog", "dog barking"),
    "wolf": ("wolf howling",),
    "rain": ("rain", "falling water"),
    "shower": ("shower", "falling water"),
    "noise": ("ambience",),
}


@pytest.fixture
def kinship() -> Kinship:
    return Kinship(Ontology(GROUPS, PHRASES), GROUPS)


def labelled(*labels: str) -> Subject:
    return Subject(frozenset(labels))


def told(caption: str, clip: Callable[..., Clip]) -> Subject:
    return subject(clip(caption=caption))


def test_a_group_is_kin_and_so_is_who_shares_a_phrase(kinship: Kinship) -> None:
    assert kinship.kin("dog") == {"dog", "wolf"}
    assert kinship.kin("rain") == {"rain", "shower"}
    assert kinship.kin("noise") == {"noise"}


def test_unlike_what_is_heard(kinship: Kinship) -> None:
    labels = list(GROUPS)
    assert kinship.unlike(labels, []) == labels
    assert kinship.unlike(labels, [labelled("dog")]) == ["rain", "shower", "noise"]
    assert kinship.unlike(labels, [labelled("dog"), labelled("shower")]) == ["noise"]


def test_captions_are_kin_by_their_words(kinship: Kinship, clip: Callable[..., Clip]) -> None:
    dogs, storm = told("Dogs are barking", clip), told("Rain is falling", clip)
    assert kinship.related(dogs, told("A man calls a dog", clip))
    assert not kinship.related(dogs, storm)
    assert kinship.related(dogs, labelled("dog"))
    assert kinship.related(labelled("shower"), storm)
    assert not kinship.related(dogs, labelled("wolf"))
    assert kinship.unlike(list(GROUPS), [dogs]) == ["wolf", "rain", "shower", "noise"]


def test_labels_are_kin_to_labels(kinship: Kinship) -> None:
    assert kinship.related(labelled("dog", "rain"), labelled("wolf"))
    assert not kinship.related(labelled("dog"), labelled("rain"))


def test_the_subject_of_a_clip(clip: Callable[..., Clip]) -> None:
    said = subject(clip("dog", caption="A dog barks", phrases=("a hound",)))
    assert said == Subject(frozenset({"dog"}), frozenset({"dog", "bark", "houn"}))
