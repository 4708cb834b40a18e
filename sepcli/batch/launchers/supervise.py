"""One stream of events from many workers, whatever becomes of them.

Rows are dealt in chunks. What a dead worker had in hand is looked up in the journals: what it
finished stays finished, what it never touched goes to the others, and what it was busy with is
tried once more, alone, and given up if that worker dies, too.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sepcli.batch.journal import Failure, Journal, merge
from sepcli.batch.launchers.crew import Crew, Ended, Lost, News, Rows
from sepcli.batch.launchers.docket import STRIKES, Docket
from sepcli.batch.plan_file import Plan
from sepcli.batch.shards import deal
from sepcli.batch.worker import AGAIN, Policy, Tally, too_many
from sepcli.errors import ItemError, SepcliError
from sepcli.separation.events import Done, Event, Failed, Finished, Planned, Skipped, Started
from sepcli.separation.plan import Job
from sepcli.separation.provenance import work_key

KILLER = "WorkerKilled"  # error class of a row that killed its workers


@dataclass
class Hand:
    """What a worker was given, and how far it has told of it.

    Attributes:
        rows: all of them.
        begun: those that it has started.
        told: how often each recording was said to be finished, skipped or failed.
    """

    rows: Rows
    begun: set[int] = field(default_factory=set)
    told: Counter[str] = field(default_factory=Counter)


def supervise(plan: Plan, rows: Sequence[int], crew: Crew, policy: Policy) -> Generator[Event]:
    """Have a crew do rows of a plan.

    Args:
        plan: that the crew's workers were told of.
        rows: which of its rows.
        crew: not entered yet.
        policy: how many rows may fail, and whether those that failed before are tried again.

    Yields:
        `Planned` first, `Done` last, and all that the workers tell between.

    Raises:
        SepcliError: what a worker refused to begin with; or if all workers died idle.
    """
    yield Planned(len(rows), sum(plan.seconds[row] for row in rows), ())
    yield from Supervisor(plan, rows, crew, policy).run()


class Supervisor:
    """Keeps the books of a crew; see `supervise`."""

    def __init__(self, plan: Plan, rows: Sequence[int], crew: Crew, policy: Policy) -> None:
        self._plan, self._crew, self._policy = plan, crew, policy
        self._tally = Tally(policy.max_failures)
        self._docket = Docket(chunks(plan.seconds, rows, crew.size * crew.chunks_each))
        self._hands: dict[int, Hand] = {}
        self._idle = list(range(crew.size))
        self._proven: set[int] = set()  # workers that have begun something

    def run(self) -> Generator[Event]:
        """See `supervise`."""
        tally = self._tally
        with self._crew as crew, Journal(Path(self._plan.options.output)) as journal:
            self._deal()
            while self._hands and not tally.hopeless:
                for news in crew.news():
                    for event in self._heard(news, journal):
                        yield tally.count(event)
                self._deal()
        if tally.too_many:
            yield too_many(self._plan, tally.failures)
        yield tally.done()

    def _deal(self) -> None:
        """Give chunks to those who have nothing to do."""
        while self._idle and (rows := self._docket.take()) is not None:
            worker = self._idle.pop(0)
            self._hands[worker] = Hand(rows)
            self._crew.give(worker, rows)

    def _heard(self, news: News, journal: Journal) -> Iterator[Event]:
        if isinstance(news, Ended):
            del self._hands[news.worker]
            self._idle.append(news.worker)
        elif isinstance(news, Lost):
            yield from self._lost(news, journal)
        elif isinstance(news.item, SepcliError):
            raise news.item
        else:
            yield from self._told(news.worker, news.item)

    def _told(self, worker: int, event: Event) -> Iterator[Event]:
        hand = self._hands[worker]
        if isinstance(event, (Planned, Done)):
            return  # of its chunk; there is one of each for all
        if isinstance(event, Started):
            hand.begun.add(event.index)
            self._proven.add(worker)
        elif isinstance(event, (Finished, Skipped, Failed)):
            hand.told[event.path] += 1
        yield event

    def _lost(self, lost: Lost, journal: Journal) -> Iterator[Event]:
        hand = self._hands.pop(lost.worker, None) or Hand(())
        self._docket.put_back([row for row in hand.rows if row not in hand.begun])
        books = Books(self._plan)
        for row in sorted(hand.begun):
            job = self._plan.row(row).job
            path = str(job.info.path)
            outcome = books.outcome(job)
            # What an earlier run failed at is on the books, too, if it is tried again.
            old = isinstance(outcome, Failed) and self._policy.retry_failed and not hand.told[path]
            if outcome is None or old:
                if self._docket.suspect(row):
                    yield quarantined(job, lost.reason, books, journal)
            elif hand.told[path]:
                hand.told[path] -= 1
            else:
                yield outcome  # it died between the journal and the event
        self._replace(lost)

    def _replace(self, lost: Lost) -> None:
        """A worker that died before it began anything would die again: it has no successor.

        Raises:
            ItemError: if nobody is left for the rows that are.
        """
        if lost.worker in self._idle:
            self._idle.remove(lost.worker)
        if lost.worker in self._proven:
            self._proven.remove(lost.worker)
            self._crew.replace(lost.worker)
            self._idle.append(lost.worker)
        elif self._docket and not self._hands and not self._idle:
            message = f"all workers died before they could begin, the last by {lost.reason}"
            raise ItemError(message, "if memory was short, give fewer --workers")


class Books:
    """What the journals say, as of now, of a plan's rows."""

    def __init__(self, plan: Plan) -> None:
        self._options, self._fingerprint = plan.options, plan.header.fingerprint
        self._ledger = merge(Path(plan.options.output))

    def key(self, job: Job) -> str:
        """That a row's lines have."""
        return work_key(job, self._fingerprint, self._options)

    def outcome(self, job: Job) -> Skipped | Failed | None:
        """What became of a row; None if it is neither done nor given up."""
        path, outputs = str(job.info.path), [output.path for output in job.outputs]
        try:
            key = self.key(job)
        except ItemError:
            return None  # an example is gone: whoever tries the row will say so
        if self._ledger.is_done(key, outputs):
            return Skipped(path, tuple(map(str, outputs)))
        if failure := self._ledger.failure(key):
            return Failed(path, failure.message, AGAIN, ItemError.exit_code, failure.error)
        return None


def quarantined(job: Job, reason: str, books: Books, journal: Journal) -> Failed:
    """The event of a row that nobody is to touch again, once the journal says so."""
    path = str(job.info.path)
    message = f"{path}: {STRIKES} workers died of it, the last by {reason}"
    with suppress(ItemError):
        journal.failed(books.key(job), Failure(KILLER, message))
    return Failed(path, message, AGAIN, ItemError.exit_code, KILLER)


def chunks(seconds: Sequence[float], rows: Sequence[int], count: int) -> list[Rows]:
    """Rows in chunks of durations that are alike, the heaviest first.

    Args:
        seconds: of all rows of the plan.
        rows: those to deal.
        count: of chunks, if there are as many rows.
    """
    weights = [seconds[row] for row in rows]
    parts = deal(weights, max(1, min(count, len(rows))))
    heaviest = sorted(parts, key=lambda part: -sum(weights[at] for at in part))
    return [array("q", (rows[at] for at in part)) for part in heaviest]
