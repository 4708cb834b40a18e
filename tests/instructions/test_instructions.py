"""Instructions in words: what they are read as, and what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sepcli.errors import UsageError
from sepcli.instructions.reading import LONGEST, Reading, read_instruction

LIST = Path(__file__).parents[1] / "data/instructions.jsonl"
ROWS = [json.loads(line) for line in LIST.read_text(encoding="utf-8").splitlines()]
LEAST = {"built": 50, "unseen": 43}  # of 50, read as wanted; docs/separate.md states them


def outcome(text: str) -> Reading | str:
    """The reading, or why there is none."""
    try:
        return read_instruction(text)
    except UsageError as error:
        return str(error)


def gain(value: float | str) -> float:
    return -math.inf if value == "removed" else float(value)


def is_right(row: dict[str, Any], got: Reading | str) -> bool:
    if isinstance(got, str) or "refused" in row:
        return isinstance(got, str) and row.get("refused", "\0").lower() in got.lower()
    wanted = {name: pytest.approx(gain(value), abs=0.01) for name, value in row["gains"].items()}
    return dict(got.gains) == wanted and got.rest == pytest.approx(gain(row["rest"]), abs=0.01)


def test_there_are_a_hundred_instructions() -> None:
    assert len({row["text"] for row in ROWS}) == 100
    for half in LEAST:
        rows = [row for row in ROWS if row["half"] == half]
        assert len(rows) == 50
        assert sum("refused" in row for row in rows) >= 10


@pytest.mark.parametrize("half", LEAST)
def test_as_many_are_read_as_before(half: str) -> None:
    rows = [row for row in ROWS if row["half"] == half]
    right = [row for row in rows if is_right(row, outcome(row["text"]))]
    assert len(right) >= LEAST[half], [row["text"] for row in rows if row not in right]


def test_most_of_what_is_not_read_is_refused() -> None:
    wrong = [got for row in ROWS if not is_right(row, got := outcome(row["text"]))]
    assert sum(isinstance(got, Reading) for got in wrong) <= 3


def test_the_reading_in_words() -> None:
    lines = read_instruction("remove the dog and turn the speech up by 3 dB").lines()
    assert lines == ["dog: removed", "speech: +3.0 dB", "everything else: kept as it is"]
    assert read_instruction("keep the dog").lines()[-1] == "everything else: removed"


@pytest.mark.parametrize(
    ("text", "gains", "rest"),
    [
        ("make the dog twice as loud", {"dog": 10.0}, 0),  # one sone to two: ten phon
        ("make the dog four times as loud", {"dog": 20.0}, 0),
        ("make the dog twice as quiet", {"dog": -10.0}, 0),
        ("double the dog", {"dog": 20 * math.log10(2)}, 0),
        ("halve the dog", {"dog": -20 * math.log10(2)}, 0),
        ("turn the dog down by 25 %", {"dog": 20 * math.log10(0.75)}, 0),
        ("turn the dog up by 25 percent", {"dog": 20 * math.log10(1.25)}, 0),
        ("turn the dog down to 10 percent", {"dog": -20.0}, 0),
        ("turn the dog down by half", {"dog": -20 * math.log10(2)}, 0),
        ("turn the dog up by half", {"dog": 20 * math.log10(1.5)}, 0),
        ("turn the dog down by 100 percent", {"dog": -math.inf}, 0),
        ("set the dog to minus six dB", {"dog": -6.0}, 0),
        ("reduce the dog to -6 dB", {"dog": -6.0}, 0),
        ("cut the dog and the rain by 6 dB", {"dog": -6.0, "rain": -6.0}, 0),
        ("raise the dog by 3 dB and the rain", {"dog": 3.0, "rain": 3.0}, 0),
        ("turn the dog down and the rain up by 9 dB", {"dog": -6.0, "rain": 9.0}, 0),
        ("set the dog to -3 dB and the rain to +2 dB", {"dog": -3.0, "rain": 2.0}, 0),
        ("make the dog and the rain quieter", {"dog": -6.0, "rain": -6.0}, 0),
        ("keep the dog 3 dB louder", {"dog": 3.0}, -math.inf),
        ("keep the speech as it is", {"speech": 0.0}, 0),
        ("remove all but the dog", {"dog": 0.0}, -math.inf),
        ("keep everything but remove the dog", {"dog": -math.inf}, 0),
        ("keep the dog and turn the rest down by 20 dB", {"dog": 0.0}, -20.0),
        ('remove "Rock and Roll"', {"Rock and Roll": -math.inf}, 0),
        ("remove the “808 kick”", {"808 kick": -math.inf}, 0),
        ("remove the dog's volume", {"dog": -math.inf}, 0),
        ("remove the Hündchen", {"hündchen": -math.inf}, 0),
    ],
)
def test_gains(text: str, gains: dict[str, float], rest: float) -> None:
    reading = read_instruction(text)
    assert dict(reading.gains) == pytest.approx(gains)
    assert reading.rest == rest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no sound"),
        (" ,, and ", "what to do"),
        ("x" * (LONGEST + 1), "characters"),
        ("remove the dog keep the speech", "keep the"),
        ("turn the dog", "how much"),
        ("turn the dog up by 200 dB", "how much"),
        ("turn the dog down by 300 percent", "how much"),
        ("set the dog to 0 times as loud", "how much"),
        ("remove the dog 3 dB louder", "two things"),
        ("keep everything else and remove everything else and keep the dog", "two things"),
        ("remove the dog and pan the speech left", "'pan'"),
        ("remove dog #2", "'#2'"),
        ('remove the "dog', "dog"),
        ("take the dog out", "'take'"),
        ("remove everything", "names no sound"),
        ("turn up the dog down", "'up'"),
    ],
)
def test_refusals_show_where_reading_stopped(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        read_instruction(text)
    assert caught.value.remedy


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60))
def test_nothing_but_a_refusal_goes_wrong(text: str) -> None:
    got = outcome(text)
    assert isinstance(got, str) or got.gains
