"""Iterating over what a thread makes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from sepcli.separation.background import in_background


def test_the_same_items_in_the_same_order() -> None:
    assert list(in_background(iter(range(50)), ahead=3)) == list(range(50))


def test_no_more_is_made_than_was_asked_for() -> None:
    made = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    ahead = in_background(items(), ahead=2)
    next(ahead)
    time.sleep(0.3)
    # One taken, two waiting, one that finds no room.
    assert made == [0, 1, 2, 3]
    ahead.close()


def test_an_error_comes_in_its_turn() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("broken")

    ahead = in_background(items(), ahead=5)
    assert next(ahead) == 1
    with pytest.raises(KeyError, match="broken"):
        next(ahead)


def test_closing_ends_the_thread_and_what_it_iterates_over() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    before = threading.active_count()
    ahead = in_background(items(), ahead=1)
    next(ahead)
    ahead.close()
    assert closed.is_set()
    assert threading.active_count() == before


@pytest.mark.parametrize("begun", [True, False])
def test_a_signal_while_the_thread_starts(monkeypatch: pytest.MonkeyPatch, begun: bool) -> None:
    """Whether the thread was there already or not, nothing of it is left running afterwards."""
    running = threading.Event()

    def items() -> Iterator[int]:
        running.set()
        while True:
            yield 0

    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        if begun:
            start(thread)
            running.wait(5)
        raise KeyboardInterrupt

    source = items()
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", interrupted)
        ahead = in_background(source, ahead=1)
        with pytest.raises(KeyboardInterrupt):
            next(ahead)
    source.close()  # not "generator already executing"
    assert running.is_set() is begun
