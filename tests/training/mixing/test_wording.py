"""Phrases joined, compared and counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepcli.training.mixing.wording import at_most, joined, meaning, stems


def test_joined() -> None:
    assert joined(["dog"]) == "dog"
    assert joined(["a dog barking", "rain"]) == "a dog barking and rain"
    assert joined(["dog", "rain", "a train"]) == "dog, rain and a train"


def test_too_many_phrases_are_joined() -> None:
    assert at_most(["a", "b", "c", "d", "e"], 2) == ("a, c and e", "b and d")
    assert at_most(["a", "b"], 3) == ("a", "b")


@given(st.lists(st.sampled_from("abcdefg"), min_size=1), st.integers(1, 8))
def test_joined_phrases_say_all(phrases: list[str], most: int) -> None:
    out = at_most(phrases, most)
    assert len(out) == min(most, len(phrases))
    said = [p for text in out for p in text.replace(" and ", ", ").split(", ")]
    assert sorted(said) == sorted(phrases)


def test_forms_of_a_word_have_one_stem() -> None:
    assert stems(["A dog barks loudly"]) & stems(["barking"])
    assert stems(["Raining in the distance"]) == stems(["rains"]) == {"rain"}
    assert not stems(["the sound of something in the background"])
    assert stems(["a dog", "rain"]) == {"dog", "rain"}


def test_meanings_are_the_same_everywhere() -> None:
    assert meaning("dog") == 2072328596179865167
    assert meaning("sea_waves") == meaning(" Sea  waves")
    assert meaning("dog") != meaning("cat")


@pytest.mark.parametrize("text", ["", "dog", "ß"])
def test_meanings_fit_in_int64(text: str) -> None:
    assert 0 <= meaning(text) < 2**63
