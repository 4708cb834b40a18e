"""A whole evaluation: items through a system and the metrics, in any order, with one result.

The system works in this process; metrics are computed in worker processes. Every finished item
is appended to a journal in the run's folder, so that a killed run goes on where it stopped; the
final files are sorted, and do not show in which order, or in how many runs, they were made.
"""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import sepcli
from sepcli.errors import ItemError, MemoryExhausted, SepcliError
from sepcli.evaluation.datasets.base import Example, Item
from sepcli.evaluation.datasets.integrity import item_hash
from sepcli.evaluation.journal import Journal
from sepcli.evaluation.results import Row, read_rows, rounded
from sepcli.evaluation.runs import ROWS
from sepcli.evaluation.scoring import Settings, prepare, score
from sepcli.evaluation.systems import Made, System

JOURNAL = "rows.partial.jsonl"


@dataclass(frozen=True)
class Begun:
    """Items to score, and how many of them an earlier run has scored."""

    items: int
    resumed: int


@dataclass(frozen=True)
class Scored:
    """An item has its figures."""

    item: str
    seconds: float  # of audio


@dataclass(frozen=True)
class Unscored:
    """An item could not be scored; the others go on."""

    item: str
    error: str
    help: str
    exit_code: int


Event = Begun | Scored | Unscored
Outcome = tuple[list[Row], float] | Unscored


class Evaluation:
    """Scores items and keeps what came of them.

    Args:
        items: to score.
        system: what is evaluated.
        settings: what is computed.
        folder: of the run; what an earlier run left there is not scored again.
        jobs: worker processes; 0 for none.

    Attributes:
        rows: item -> its rows, of the items scored so far.
        failures: item -> why it could not be scored.
    """

    def __init__(
        self,
        items: Sequence[Item],
        system: System,
        settings: Settings,
        folder: Path,
        jobs: int = 0,
    ) -> None:
        self._items, self._system, self._settings = items, system, settings
        self._folder = folder
        self._journal = Journal(folder / JOURNAL)
        self._jobs = jobs
        self.rows: dict[str, list[Row]] = {}
        self.failures: dict[str, Unscored] = {}

    def run(self) -> Generator[Event]:
        """Score every item that an earlier run has not.

        Raises:
            SepcliError: if no other item could fare better.
        """
        earlier = self._earlier()
        left = []
        for item in self._items:
            rows = earlier.get(item.name, [])
            if rows and rows[0].key == self._key(item):
                self.rows[item.name] = rows
            else:
                left.append(item)
        yield Begun(len(self._items), len(self.rows))
        self._journal.mend()
        if self._jobs == 0:
            for item in left:
                yield self._keep(item, work(item, self._system, self._settings))
        else:
            yield from self._in_parallel(left)

    def sorted_rows(self) -> list[Row]:
        """All rows in the order of the items."""
        return [row for item in self._items for row in self.rows.get(item.name, [])]

    def sorted_failures(self) -> list[Unscored]:
        """All failures in the order of the items."""
        return [self.failures[i.name] for i in self._items if i.name in self.failures]

    def forget(self) -> None:
        """Remove the journal: all is said in the final files."""
        self._journal.remove()

    def _earlier(self) -> dict[str, list[Row]]:
        """Rows of a finished run in the same folder, and of one that was stopped."""
        earlier: dict[str, list[Row]] = {}
        if (self._folder / ROWS).exists():
            for row in read_rows(self._folder / ROWS):
                earlier.setdefault(row.item, []).append(row)
        return earlier | self._journal.read()

    def _key(self, item: Item) -> str | None:
        try:
            return item_key(item, self._system, self._settings)
        except (SepcliError, OSError):
            return None  # what cannot be read is tried, and told, when its turn comes

    def _keep(self, item: Item, outcome: Outcome) -> Event:
        if isinstance(outcome, Unscored):
            self.failures[item.name] = outcome
            return outcome
        rows, seconds = [rounded(row) for row in outcome[0]], outcome[1]
        self.rows[item.name] = rows
        self._journal.append(rows)
        return Scored(item.name, seconds)

    def _in_parallel(self, items: Sequence[Item]) -> Iterator[Event]:
        """Keep as many items in flight as there are workers, and one more."""
        waiting: dict[Future[Outcome], Item] = {}
        with worker_pool(self._jobs) as pool:
            try:
                for item in items:
                    waiting[self._submit(pool, item)] = item
                    if len(waiting) > self._jobs:
                        yield from self._finished(waiting)
                while waiting:
                    yield from self._finished(waiting)
            except BrokenProcessPool as error:
                message = "a worker process died, probably for want of memory"
                raise MemoryExhausted(message, "use fewer --jobs, and --resume") from error
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, pool: Executor, item: Item) -> Future[Outcome]:
        if self._system.portable:
            return pool.submit(work, item, self._system, self._settings)
        made = make(item, self._system, self._settings)
        if isinstance(made, Unscored):
            known: Future[Outcome] = Future()
            known.set_result(made)
            return known
        return pool.submit(work, item, made, self._settings)

    def _finished(self, waiting: dict[Future[Outcome], Item]) -> Iterator[Event]:
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in done:
            yield self._keep(waiting.pop(future), future.result())


@dataclass(frozen=True)
class Estimated:
    """A system's estimates of an item, on their way to a worker."""

    made: Made
    key: str


def make(item: Item, system: System, settings: Settings) -> Estimated | Unscored:
    """Let a system work on an item."""
    try:
        return estimate(item, prepare(item, settings), system, settings)
    except (ItemError, OSError) as error:
        return refused(item, error)


def estimate(item: Item, example: Example, system: System, settings: Settings) -> Estimated:
    """A system's estimates of an item whose audio is at hand.

    Raises:
        ItemError: if there are none.
    """
    made = system.make(item, example, settings.protocol)
    return Estimated(made, item_key(item, system, settings))


def work(item: Item, source: System | Estimated, settings: Settings) -> Outcome:
    """Score an item whose estimates are there, or that a system makes here and now."""
    try:
        example = prepare(item, settings)
        found = source
        if not isinstance(found, Estimated):
            found = estimate(item, example, found, settings)
        rows = score(item, example, found.made, settings, found.key)
    except (ItemError, OSError, ValueError) as error:
        return refused(item, error)
    return rows, example.mixture.shape[-1] / example.rate


def refused(item: Item, error: Exception) -> Unscored:
    """What is told of an item that could not be scored."""
    if isinstance(error, SepcliError):
        return Unscored(item.name, str(error), error.remedy, error.exit_code)
    return Unscored(item.name, f"{item.name}: {error}", "see `sepcli eval check`", 1)


def item_key(item: Item, system: System, settings: Settings) -> str:
    """Changes whenever an item's rows may: with its audio, estimates, protocol or metrics."""
    stems = settings.stems or settings.protocol.stems or item.stems
    parts = (
        sepcli.__version__,
        repr(settings),
        item_hash(item),
        system.key(item, tuple(stems)),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def worker_pool(jobs: int) -> ProcessPoolExecutor:
    """Fresh processes, since a forked copy of one that runs threads may hang."""
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))
