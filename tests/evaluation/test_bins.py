"""Bins with round edges."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from sepcli.evaluation.bins import MOST, bins


def test_few_numbers_keep_their_own() -> None:
    assert bins([10, -5, 2.5, 10]) == {-5: "-5", 2.5: "2.5", 10: "10"}


def test_integer_snrs() -> None:
    names = bins(range(-15, 16))
    assert list(dict.fromkeys(names.values())) == [
        "-15 to -10",
        "-10 to -5",
        "-5 to 0",
        "0 to 5",
        "5 to 10",
        "10 to 15",
        "15 to 20",
    ]
    assert names[-10] == "-10 to -5"
    assert names[-11] == "-15 to -10"


def test_edges_are_not_lost_to_rounding() -> None:
    names = bins(n / 10 for n in range(9))
    assert names[0.3] == "0.2 to 0.4"
    assert names[0.6] == "0.6 to 0.8"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_every_number_is_in_one_of_few_bins(numbers: list[float]) -> None:
    names = bins(numbers)
    assert set(names) == set(numbers)
    assert list(names) == sorted(names)
    assert len(set(names.values())) <= MOST
    for value, name in names.items():
        if " to " in name:
            low, high = map(float, name.split(" to "))
            slack = 1e-5 * max(abs(low), abs(high), math.ulp(1))
            assert low - slack <= value <= high + slack
