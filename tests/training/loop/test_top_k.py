"""Which checkpoints are kept, and when training ends."""

from __future__ import annotations

import math

import pytest

from sepcli.errors import UsageError
from sepcli.training.loop.top_k import TopK


def offered(top: TopK, *figures: float) -> list[bool]:
    return [top.offer(step, {"snr": figure}) for step, figure in enumerate(figures, 1)]


def test_the_highest_are_kept_best_first() -> None:
    top = TopK("snr", keep=2, patience=None)
    assert offered(top, 1.0, 3.0, 2.0, 3.0, 0.0) == [True, True, False, False, False]
    assert top.steps == [2, 4]
    assert top.best is not None
    assert top.best.step == 2
    assert not top.exhausted


def test_the_lowest_with_a_minus() -> None:
    top = TopK("-snr", keep=1, patience=None)
    assert offered(top, 1.0, 3.0, 0.5) == [True, False, True]
    assert top.steps == [3]


def test_no_number_is_worst() -> None:
    top = TopK("-snr", keep=3, patience=None)
    assert offered(top, math.nan, 1e9) == [True, True]
    assert top.steps == [2, 1]


def test_patience_counts_from_the_best() -> None:
    top = TopK("snr", keep=0, patience=2)
    offered(top, 1.0, 0.5, 2.0, 2.0)
    assert not top.exhausted
    top.offer(5, {"snr": 1.9})
    assert top.exhausted
    assert top.steps == []


def test_it_goes_back_to_what_it_was() -> None:
    top = TopK("snr", keep=2, patience=3)
    offered(top, 1.0, 3.0, 2.0, 2.5)
    other = TopK("snr", keep=2, patience=3)
    other.load_state_dict(top.state_dict())
    assert other.state_dict() == top.state_dict()
    assert other.offer(5, {"snr": 0.0}) is False
    assert other.exhausted
    by_another = TopK("-silence", keep=2, patience=3)
    by_another.load_state_dict(top.state_dict())
    assert by_another.best is None


def test_an_unknown_figure_is_refused() -> None:
    with pytest.raises(UsageError, match="'snrr'") as caught:
        TopK("snrr", 1, None).offer(1, {"snr": 1.0, "silence": 0.0})
    assert "did you mean snr?" in caught.value.remedy
    with pytest.raises(UsageError) as caught:
        TopK("x", 1, None).offer(1, {"snr": 1.0, "silence": 0.0})
    assert "snr, silence" in caught.value.remedy
