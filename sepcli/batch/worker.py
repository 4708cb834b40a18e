"""Rows of a plan: what is done is remembered, and what fails does not stop the others."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import torch
from threadpoolctl import threadpool_limits

from sepcli.batch.journal import Failure, Journal, Ledger, merge
from sepcli.batch.lock import Identity, batch_lock
from sepcli.batch.pipeline.in_turn import InTurn
from sepcli.batch.pipeline.lanes import Lanes
from sepcli.batch.pipeline.line import Line
from sepcli.batch.pipeline.room import held_bytes
from sepcli.batch.plan_file import Plan
from sepcli.batch.plan_header import Header
from sepcli.batch.plan_row import REPLAN, Row
from sepcli.batch.shards import Shard, deal
from sepcli.batch.tally import Tally
from sepcli.errors import ItemError, ModelError, OutputError, SepcliError
from sepcli.hashing import sha256_of
from sepcli.registry.load import LoadedModel, encoder_maker, fingerprint, load
from sepcli.registry.store import Model, Registry
from sepcli.registry.verify import verify
from sepcli.separation import provenance
from sepcli.separation.check import check_space
from sepcli.separation.events import (
    Event,
    Failed,
    Finished,
    Planned,
    Quarantined,
    Skipped,
    Started,
)
from sepcli.separation.options import Device, SeparateOptions
from sepcli.separation.plan import Job, Output
from sepcli.separation.run import failure
from sepcli.separation.runner import Answering, Runner
from sepcli.separation.single import Single, told

ODD_IN_A_ROW = 3  # errors that nobody foresaw: then it is not the recordings
AGAIN = "see to the errors above, then run the same command with --retry-failed"


@dataclass(frozen=True)
class Policy:
    """How the rows of a plan are worked through; none of it decides what the stems are.

    Attributes:
        retry_failed: try again what failed before, in place of leaving it out.
        max_failures: rows that may fail; one more, and the work stops. None for any number.
        deterministic: the same bytes however the plan is split: one recording after another, one
            thread, and algorithms whose sums have a fixed order.
        device: in place of the plan's.
        batch_size: windows at once, in place of the plan's.
    """

    retry_failed: bool = False
    max_failures: int | None = None
    deterministic: bool = False
    device: Device | None = None
    batch_size: int | None = None


def run_plan(plan: Plan, shard: Shard | None, policy: Policy) -> Generator[Event]:
    """Separate a plan, or a shard of it, in this process.

    Yields:
        `Planned` first, `Done` last, and what happens between.

    Raises:
        SepcliError: before any work, if the model is not the plan's, or the folder of the stems
            is in use or cannot be written to.
    """
    worker, rows = PlanWorker(plan, policy), rows_of(plan, shard)
    yield Planned(len(rows), sum(plan.seconds[row] for row in rows), ())
    with batch_lock(Path(plan.options.output), Identity(plan.digest, shard)):
        yield from worker.work(rows)


def preview(plan: Plan, shard: Shard | None, policy: Policy) -> Generator[Event]:
    """What `run_plan` has still to do, as one `Planned`.

    Raises:
        SepcliError: as `run_plan`, but for the folder's being in use.
    """
    worker = PlanWorker(plan, policy)
    jobs = [row.job for row in map(plan.row, rows_of(plan, shard)) if worker.is_open(row)]
    outputs = tuple(name for job in jobs for name in names(job.outputs))
    yield Planned(len(jobs), sum(job.seconds for job in jobs), outputs)


def rows_of(plan: Plan, shard: Shard | None) -> Sequence[int]:
    """Numbers of the rows of a shard, or of the whole plan."""
    return range(len(plan)) if shard is None else deal(plan.seconds, shard.count)[shard.index]


def work(plan: Plan, rows: Iterable[int], policy: Policy) -> Generator[Event]:
    """Rows through a model that is loaded once; see `PlanWorker`."""
    yield from PlanWorker(plan, policy).work(rows)


class PlanWorker:
    """Works through rows of a plan; whoever uses it holds the lock of the folder.

    The model is loaded, and the journals are read, when a row first needs them.

    Raises:
        ModelError: if the model is missing, damaged, or not the one that was planned with.
    """

    def __init__(self, plan: Plan, policy: Policy) -> None:
        self._plan, self._policy = plan, policy
        self._options = run_options(plan.options, policy)
        self._model = planned_model(plan.header)
        self._journal = Journal(Path(self._options.output))
        self._notices: list[str] = []  # of the runner
        self._counting = threading.Lock()
        self._odd = 0  # errors in a row that nobody foresaw

    @cached_property
    def _loaded(self) -> LoadedModel:
        loaded = load(self._model)
        if self._policy.deterministic:  # kept embeddings may have been made with more threads
            loaded = replace(loaded, encoder_maker=encoder_maker(self._model, keep=False))
        return loaded

    @cached_property
    def _runner(self) -> Runner:
        return Runner(self._loaded.network, self._options, self._notices.append)

    @cached_property
    def _single(self) -> Single:
        return Single(self._options, self._loaded)

    @cached_property
    def _ledger(self) -> Ledger:
        return merge(Path(self._options.output))

    def work(self, rows: Iterable[int]) -> Generator[Event]:
        """Rows, several at once; they may come from a generator that waits for more.

        Yields:
            what happens; `Started` has the row's number. `Done` last.

        Raises:
            SepcliError: if the plan's file has changed.
        """
        tally = Tally(self._policy.max_failures)
        with (
            self._journal as journal,
            deterministic(self._policy.deterministic),
            self._line() as line,
            closing(self._rows(rows, journal, line)) as events,
        ):
            for event in events:
                yield tally.count(event)
                if tally.hopeless:
                    break
            for event in line.stop():
                if not nobodys(event):
                    yield tally.count(event)
        if tally.too_many:
            yield too_many(self._plan, tally.failures)
        yield from tally.last()

    def is_open(self, row: Row) -> bool:
        """Whether a row is still to be done."""
        try:
            key = self._key(row.job)
        except ItemError:
            return True  # and will fail
        done = self._is_done(row.job, key) or provenance.is_done(row.job, key)
        return not done and self._given_up(key) is None

    def _line(self) -> Line:
        if self._policy.deterministic:
            return InTurn(lambda: self._runner, self._notices)
        return Lanes(lambda: self._runner, self._notices, self._size)

    def _size(self, job: Job) -> int:
        return held_bytes(job, self._loaded, self._options, self._runner.batch)

    def _rows(self, rows: Iterable[int], journal: Journal, line: Line) -> Generator[Event]:
        """Every row in its turn, and what others do until there is room for it."""
        for number in rows:
            row = self._plan.row(number)
            job, started = row.job, Started(str(row.job.info.path), number, row.job.seconds)
            try:
                key = self._key(job)
                settled = self._settled(job, key, journal)
            except SepcliError as error:
                settled = failure(job, error)
            if settled is not None:
                yield started
                yield settled
                continue
            yield from line.make_room(job)
            yield started  # told before anything is done: a row may kill who touches it
            yield from line.begin(job, partial(self._separate, row, key, journal))
        yield from line.finish()

    def _settled(self, job: Job, key: str, journal: Journal) -> Event | None:
        """What became of a row that needs nothing any more."""
        path, outputs = str(job.info.path), job.outputs
        if self._is_done(job, key):
            return Skipped(path, names(outputs))
        if provenance.is_done(job, key):  # a kill came before the journal's line
            journal.done(key, sizes(outputs))
            return Skipped(path, names(outputs))
        old = self._given_up(key)
        return None if old is None else quarantined(path, old)

    def _key(self, job: Job) -> str:
        return provenance.work_key(job, self._plan.header.fingerprint, self._options)

    def _is_done(self, job: Job, key: str) -> bool:
        return self._ledger.is_done(key, (output.path for output in job.outputs))

    def _given_up(self, key: str) -> Failure | None:
        return None if self._policy.retry_failed else self._ledger.failure(key)

    def _separate(
        self, row: Row, key: str, journal: Journal, runner: Answering, notices: list[str]
    ) -> Generator[Event]:
        """A row that is to be done; its end is journalled before it is told."""
        try:
            with closing(self._events(row, key, runner, notices)) as events:
                for event in events:
                    if isinstance(event, Finished):
                        self._odd = 0
                        journal.done(key, sizes(row.job.outputs))
                    elif isinstance(event, Failed) and not nobodys(event):
                        journal.failed(key, Failure(event.kind, event.error))
                    yield event
        except OutputError as error:  # of the journal
            yield failure(row.job, error)

    def _events(
        self, row: Row, key: str, runner: Answering, notices: list[str]
    ) -> Generator[Event]:
        """What happens to a row, its failure included."""
        try:
            check_unchanged(row)
            check_space([row.job], self._options)
            yield from self._single.events(row.job, runner, notices, key)
        except SepcliError as error:
            yield failure(row.job, error)
        except Exception as error:  # of one recording that nobody thought of, the others go on
            if self._is_hopeless():
                raise
            yield unforeseen(row.job, error)
        yield from told(row.job, notices)

    def _is_hopeless(self) -> bool:
        """Count an error that nobody foresaw; whether there have been too many in a row."""
        with self._counting:
            self._odd += 1
            return self._odd >= ODD_IN_A_ROW


def run_options(options: SeparateOptions, policy: Policy) -> SeparateOptions:
    """A plan's options for running it: stems of other work are replaced, other files are not."""
    return replace(
        options,
        skip_existing=not options.overwrite,
        device=policy.device or options.device,
        batch_size=policy.batch_size or options.batch_size,
        compile=options.compile and not policy.deterministic,  # sums in an order of its own
    )


def planned_model(header: Header) -> Model:
    """The model of a plan.

    Raises:
        ModelError: if it is missing, damaged, or not the one that was planned with.
    """
    model, mark = identified(header.options)
    if mark != header.fingerprint:
        message = f"model {model.name} is not the one that the plan was made with"
        raise ModelError(message, f"{REPLAN}: stems of these weights are kept")
    return model


def identified(options: SeparateOptions) -> tuple[Model, str]:
    """The model that options name, and its fingerprint; it is not loaded.

    Raises:
        ModelError: if there is none, or a file of it is missing or damaged.
    """
    model = Registry(options.registry).find(options.model).with_clip(options.clip)
    for role in model.entry.files:
        verify(model, role)
    return model, fingerprint(model)


def check_unchanged(row: Row) -> None:
    """See to it that a recording is the one that was planned.

    Raises:
        ItemError: if it has gone, or its content is another.
    """
    path = row.job.info.path
    try:
        same = path.stat().st_size == row.size and sha256_of(path) == row.sha256
    except OSError as error:
        message = f"cannot read {path}: {error.strerror}"
        raise ItemError(message, "it was there when it was planned: bring it back") from error
    if not same:
        raise ItemError(f"{path} has changed since it was planned", REPLAN)


def names(outputs: Sequence[Output]) -> tuple[str, ...]:
    """Where stems are, for events."""
    return tuple(str(output.path) for output in outputs)


def sizes(outputs: Sequence[Output]) -> list[int | None]:
    """Bytes of stems; None for those that were not written because they are silent."""
    return [output.path.stat().st_size if output.path.exists() else None for output in outputs]


def quarantined(path: str, old: Failure) -> Quarantined:
    """The event of a row that failed before."""
    message = f"failed before: {old.message}"
    return Quarantined(path, message, "give --retry-failed to try it again", 1, old.error)


def unforeseen(job: Job, error: Exception) -> Failed:
    """The event of an error that is no fault of the user's, as far as anybody knows."""
    kind = type(error).__name__
    first = next(iter(str(error).splitlines()), "")
    message = f"{job.info.path}: unexpected {kind}: {first}"
    remedy = "separate it alone with --debug, and report what you see"
    return Failed(str(job.info.path), message, remedy, ItemError.exit_code, kind)


def too_many(plan: Plan, failures: int) -> Failed:
    """The event of work that was stopped since too much of it failed."""
    message = f"stopped after {failures} failures, more than --max-failures allows"
    return Failed(str(plan.path), message, f"what is done is kept: {AGAIN}", 1)


def nobodys(event: Event) -> bool:
    """Whether a failure is of the disk, and not of its row, which was only in flight."""
    return isinstance(event, Failed) and event.exit_code == OutputError.exit_code


@contextmanager
def deterministic(wanted: bool) -> Iterator[None]:
    """Sums of a fixed order, on any device, while the context lasts."""
    if not wanted:
        yield
        return
    threads, before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else cuBLAS refuses
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(before)
