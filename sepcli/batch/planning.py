"""Recordings to rows of a plan: probed and hashed in a few threads, refused as by `separate`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from sepcli.batch.plan_header import Header
from sepcli.batch.plan_row import Row
from sepcli.batch.worker import identified
from sepcli.errors import ItemError, UsageError
from sepcli.hashing import sha256_of
from sepcli.registry.store import Model
from sepcli.separation.auto import Search, search
from sepcli.separation.check import check_options
from sepcli.separation.events import Detected
from sepcli.separation.examples import check_kept
from sepcli.separation.inputs import Source, expand
from sepcli.separation.looking import check_pictures, in_words
from sepcli.separation.options import STREAM, SeparateOptions
from sepcli.separation.places import Places
from sepcli.separation.plan import Job, Rejected, job_of

THREADS = 4  # that read files: disks are seldom faster with more
AHEAD = 64  # recordings that are read before they are asked for

T = TypeVar("T")
R = TypeVar("R")


class Planning:
    """A plan in the making.

    Args:
        options: of the separation.

    Attributes:
        header: of the plan.

    Raises:
        SepcliError: for all that `sepcli.separation.run.run` refuses before it looks at recordings.
    """

    def __init__(self, options: SeparateOptions) -> None:
        if options.output == STREAM or STREAM in options.inputs:
            raise UsageError("a plan is of files that stay, not of a pipe", "name files and -o")
        self._model, fingerprint = identified(options)
        check_options(options, self._model)
        check_pictures(options.queries)
        check_kept((e for query in options.queries for e in query.examples), self._model)
        self._sources = expand(options.inputs, options.recursive)
        queries = in_words(options.queries, self._model)
        self._options = replace(
            options, queries=tuple(queries.get(query, query) for query in options.queries)
        )
        self.header = Header(self._options, self._model.name, fingerprint)

    def items(self) -> Iterator[Row | Rejected | Detected]:
        """Rows in the order of the inputs, and recordings that cannot be read.

        Raises:
            UsageError: if stems would overwrite each other, an input, or what is there.
        """
        found = Search(sources=self._sources)
        if self._options.auto:
            found = search(self._sources, self._options, self._model)
        yield from found.events
        yield from found.rejected
        places, count = Places(self._options), 0
        for result in in_threads(self._look, found.sources):
            if isinstance(result, Rejected):
                yield result
                continue
            job, size = result
            places.take(job)
            yield Row(count, job.content or "", size, job)
            count += 1

    def _look(self, source: Source) -> tuple[Job, int] | Rejected:
        """A recording's job and size."""
        try:
            return looked_at(source, self._options, self._model)
        except ItemError as error:
            return Rejected(source, error)


def make_plan(options: SeparateOptions) -> Iterator[Row | Rejected | Detected]:
    """Rows of a plan; see `Planning`."""
    yield from Planning(options).items()


def looked_at(source: Source, options: SeparateOptions, model: Model) -> tuple[Job, int]:
    """A recording's job, with the hash of its content, and its size in bytes.

    Raises:
        ItemError: if it cannot be read.
        UsageError: if nothing is asked for, or what the model does not answer.
    """
    job = job_of(source, options, model)
    try:
        content, size = sha256_of(source.path), source.path.stat().st_size
    except OSError as error:
        message = f"cannot read {source.path}: {error.strerror}"
        raise ItemError(message, "check the disk and the file's permissions") from error
    return replace(job, content=content), size


def in_threads(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Results in the order of the items; no more than AHEAD of them are ever waiting."""
    waiting: deque[Future[R]] = deque()
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="plan")
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) == AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
