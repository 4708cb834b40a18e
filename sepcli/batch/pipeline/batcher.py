"""Windows of different recordings, packed into batches for one device.

A batch holds windows of one kind: as many samples, channels and Hz, and the same question. A
network is given its queries once for all items of a batch, so rows that ask for different sounds
take turns. Nothing is padded: silence after a short window would change what a network makes of
it, and a recording's stems are not to depend on what else is in flight.

The recording that was begun first goes first, so that recordings end one by one: of ten that went
forward together, a kill would take ten.

The device does not wait for a batch to be full. While it is busy windows pile up, and the next
batch is full; while it is not, something else is the limit.
"""

from __future__ import annotations

import threading
from bisect import insort
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field, replace

from sepcli.audio.windows import Wave
from sepcli.errors import MemoryExhausted
from sepcli.separation.runner import Answer, Question, Runner

WAIT_SECONDS = 0.5  # for an answer, before it is asked whether there will be one


class GivenUp(BaseException):
    """Raised in a recording's thread when the batch stops: it unwinds, and nobody is told."""


@dataclass(frozen=True, eq=False)
class Ticket:
    """A window that waits for its answer.

    Attributes:
        kind: windows of equal kinds may share a batch.
        rank: of its recording; lower ones go first.
        notify: told, in words, of steps back for want of memory.
        answer: where the answer, or the error, will be.
    """

    wave: Wave
    question: Question
    rate: int
    kind: Hashable
    rank: int
    notify: Callable[[str], None]
    answer: Future[Answer] = field(default_factory=Future)


@dataclass(frozen=True)
class Asker:
    """What a recording has in place of a `Runner`, in a thread of its own.

    Attributes:
        runner: whose batch size counts.
        submit: takes tickets to the batcher's thread.
        rank: of the recording; lower ones go first.
        notify: told, in words, of steps back for want of memory.
        stopped: set when the batch stops.
    """

    runner: Runner
    submit: Callable[[Ticket], None]
    rank: int
    notify: Callable[[str], None]
    stopped: threading.Event

    @property
    def batch(self) -> int:
        """Windows of one recording at once, at most."""
        return self.runner.batch

    def answer(self, waves: Sequence[Wave], question: Question, rate: int) -> list[Answer]:
        """Stems of windows of one length; waits for them.

        Raises:
            GivenUp: if the batch stops.
            MemoryExhausted: see `Runner.answer`.
        """
        asked = fingerprint(question)
        tickets = [
            Ticket(wave, question, rate, (wave.shape, rate, asked), self.rank, self.notify)
            for wave in waves
        ]
        for ticket in tickets:
            self.submit(ticket)
        return [self._awaited(ticket) for ticket in tickets]

    def _awaited(self, ticket: Ticket) -> Answer:
        while not wait([ticket.answer], WAIT_SECONDS).done:
            if self.stopped.is_set():  # by a signal, with which the ticket may have been lost
                raise GivenUp
        return ticket.answer.result()


class Batcher:
    """Gives a device what waits, windows of the lowest rank first.

    All of it runs in one thread, the device's.

    Args:
        runner: answers batches.
        notices: where the runner leaves what a recording should be told.
    """

    def __init__(self, runner: Runner, notices: list[str]) -> None:
        self._runner, self._notices = runner, notices
        self._waiting: list[Ticket] = []  # by rank
        self._exhausted = False

    def __bool__(self) -> bool:
        """Whether there is something for the device to do."""
        return bool(self._waiting) and not self._exhausted

    def add(self, ticket: Ticket) -> None:
        """Let a window wait for its turn."""
        insort(self._waiting, ticket, key=lambda waiting: waiting.rank)

    def serve(self) -> None:
        """Answer the window of the lowest rank, and others of its kind.

        Nothing is answered any more once memory is exhausted: no other window would fare better,
        and no other recording is to blame.
        """
        if not self:
            return
        tickets = self._next()
        try:
            self._answer(tickets)
        finally:  # a signal may come at any time, and nobody is to wait for ever
            for ticket in tickets:
                if not ticket.answer.done():
                    refuse(ticket)

    def refuse(self) -> None:
        """Give up whatever waits."""
        while self._waiting:
            refuse(self._waiting.pop())

    def _next(self) -> list[Ticket]:
        kind = self._waiting[0].kind
        alike = [ticket for ticket in self._waiting if ticket.kind == kind]
        tickets = alike[: self._runner.batch]
        for ticket in tickets:
            self._waiting.remove(ticket)
        return tickets

    def _answer(self, tickets: Sequence[Ticket]) -> None:
        first = tickets[0]
        try:
            waves = [ticket.wave for ticket in tickets]
            answers = self._runner.answer(waves, first.question, first.rate)
        except Exception as error:
            self._blame(tickets, error)
            return
        finally:
            for text in self._notices:
                first.notify(text)
            self._notices.clear()
        for ticket, answer in zip(tickets, answers, strict=True):
            ticket.answer.set_result(answer)

    def _blame(self, tickets: Sequence[Ticket], error: Exception) -> None:
        """Find out which windows of a batch went wrong: the others are of other recordings."""
        if len(tickets) == 1:
            self._exhausted = isinstance(error, MemoryExhausted)
            tickets[0].answer.set_exception(error)
            return
        for ticket in tickets:
            if not self._exhausted:
                self._answer([ticket])


def refuse(ticket: Ticket) -> None:
    """Let the thread that waits for an answer unwind."""
    ticket.answer.set_exception(GivenUp())


def fingerprint(question: Question) -> Hashable:
    """Equal for questions that a network would answer alike."""
    embeddings = question.embeddings
    rows = None if embeddings is None else (embeddings.shape, embeddings.cpu().numpy().tobytes())
    return rows, replace(question, embeddings=None)
