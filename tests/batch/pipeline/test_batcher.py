"""Windows of several recordings in batches: who shares one, and who is blamed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from sepcli.audio.windows import Wave
from sepcli.batch.pipeline.batcher import Asker, Batcher, GivenUp, Ticket, fingerprint
from sepcli.errors import ItemError, MemoryExhausted
from sepcli.separation.runner import Answer, Question

QUESTION = Question(torch.tensor([[1.0, 2.0]]))


class Doubling:
    """Answers a wave with twice the wave; keeps the first sample of all that it was given."""

    def __init__(self, batch: int, before: Callable[[Sequence[Wave]], None] | None = None) -> None:
        self.batch, self.batches = batch, list[list[float]]()
        self._before = before

    def answer(self, waves: Sequence[Wave], _question: Question, _rate: int) -> list[Answer]:
        self.batches.append([float(wave[0, 0]) for wave in waves])
        if self._before:
            self._before(waves)
        return [Answer(2 * wave[None], None) for wave in waves]


def batcher(runner: Doubling, notices: list[str] | None = None) -> Batcher:
    return Batcher(runner, [] if notices is None else notices)  # type: ignore[arg-type]


def ticket(
    value: float,
    samples: int = 4,
    question: Question = QUESTION,
    notify: Callable[[str], None] = print,
    rank: int = 0,
) -> Ticket:
    wave = np.full((samples, 2), value, np.float32)
    return Ticket(wave, question, 8000, (wave.shape, fingerprint(question)), rank, notify)


def waiting(runner: Doubling, *tickets: Ticket, notices: list[str] | None = None) -> Batcher:
    made = batcher(runner, notices)
    for item in tickets:
        made.add(item)
    return made


def test_windows_of_a_kind_share_batches_in_the_order_in_which_they_waited() -> None:
    long, short = [ticket(n) for n in range(5)], [ticket(n, samples=3) for n in (10, 11)]
    runner = Doubling(batch=2)
    made = waiting(runner, long[0], short[0], *long[1:3], short[1], *long[3:])
    while made:
        made.serve()
    assert runner.batches == [[0, 1], [10, 11], [2, 3], [4]]
    for item in (*long, *short):
        np.testing.assert_array_equal(item.answer.result(0).stems[0], 2 * item.wave)


def test_recordings_that_were_begun_first_go_first() -> None:
    first, second = ticket(10, rank=0), [ticket(n, rank=1) for n in range(2)]
    runner = Doubling(batch=1)
    made = waiting(runner, *second, ticket(20, rank=2))
    made.serve()
    made.add(first)
    while made:
        made.serve()
    assert runner.batches == [[0], [10], [1], [20]]


def test_nothing_waits() -> None:
    runner = Doubling(batch=2)
    made = batcher(runner)
    made.serve()
    assert not made
    assert runner.batches == []


@pytest.mark.parametrize(
    "other",
    [
        Question(torch.tensor([[1.0, 2.5]])),
        Question(torch.tensor([[1.0], [2.0]])),
        Question(None),
        replace(QUESTION, compete=True),
        replace(QUESTION, negatives=1),
        replace(QUESTION, channels=1),
        replace(QUESTION, unordered=True),
    ],
)
def test_what_is_asked_differently_is_asked_apart(other: Question) -> None:
    runner = Doubling(batch=4)
    made = waiting(runner, ticket(0), ticket(1, question=other), ticket(2))
    made.serve()
    assert runner.batches == [[0, 2]]
    same = Question(torch.tensor([[1.0, 2.0]]))
    assert fingerprint(QUESTION) == fingerprint(same) != fingerprint(other)


def test_an_error_is_of_the_window_that_brought_it() -> None:
    def odd(waves: Sequence[Wave]) -> None:
        if any(wave[0, 0] == 1 for wave in waves):
            raise ItemError("one", "none")

    runner = Doubling(batch=3, before=odd)
    tickets = [ticket(n) for n in range(3)]
    waiting(runner, *tickets).serve()
    assert runner.batches == [[0, 1, 2], [0], [1], [2]]
    assert [item.answer.exception(0) is None for item in tickets] == [True, False, True]
    with pytest.raises(ItemError, match="one"):
        tickets[1].answer.result(0)


def test_memory_that_is_exhausted_is_told_to_one() -> None:
    def none_left(_: Sequence[Wave]) -> None:
        raise MemoryExhausted("none left", "buy some")

    runner = Doubling(batch=2, before=none_left)
    tickets = [ticket(n) for n in range(3)]
    made = waiting(runner, *tickets)
    made.serve()
    made.serve()
    assert runner.batches == [[0, 1], [0]]
    assert not made
    with pytest.raises(MemoryExhausted):
        tickets[0].answer.result(0)
    made.refuse()
    for item in tickets[1:]:
        with pytest.raises(GivenUp):
            item.answer.result(0)


def test_a_step_back_is_told_to_the_first_of_a_batch() -> None:
    notices, heard = list[str](), list[str]()
    runner = Doubling(batch=2, before=lambda _: notices.append("less"))
    first, second = ticket(0, notify=heard.append), ticket(1, notify=pytest.fail)
    waiting(runner, first, second, notices=notices).serve()
    assert (heard, notices) == (["less"], [])


def test_nobody_waits_for_a_device_that_was_interrupted() -> None:
    def signal(_: Sequence[Wave]) -> None:
        raise KeyboardInterrupt

    item = ticket(0)
    made = waiting(Doubling(batch=1, before=signal), item)
    with pytest.raises(KeyboardInterrupt):
        made.serve()
    with pytest.raises(GivenUp):
        item.answer.result(0)


def test_an_asker_waits_for_all_its_windows() -> None:
    runner = Doubling(batch=3)
    made = batcher(runner)

    def submit(item: Ticket) -> None:
        made.add(item)
        made.serve()

    asker = Asker(runner, submit, 0, print, threading.Event())  # type: ignore[arg-type]
    waves = [np.full((4, 1), n, np.float32) for n in range(2)]
    assert asker.batch == 3
    answers = asker.answer(waves, QUESTION, 8000)
    assert [float(answer.stems[0, 0, 0]) for answer in answers] == [0, 2]


def test_an_asker_s_windows_of_other_rates_are_of_other_kinds() -> None:
    tickets = list[Ticket]()

    def submit(item: Ticket) -> None:
        item.answer.set_result(Answer(item.wave[None], None))
        tickets.append(item)

    asker = Asker(Doubling(1), submit, 0, print, threading.Event())  # type: ignore[arg-type]
    wave = np.zeros((4, 1), np.float32)
    for rate in (8000, 8000, 16000):
        asker.answer([wave], QUESTION, rate)
    asker.answer([np.zeros((4, 2), np.float32)], QUESTION, 8000)
    kinds = [item.kind for item in tickets]
    assert kinds[0] == kinds[1]
    assert len(set(kinds)) == 3
