"""A whole batch: plan, then one recording after another, telling what happens."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack

from sepcli.errors import MemoryExhausted, OutputError, SepcliError
from sepcli.registry.load import LoadedModel, load
from sepcli.registry.store import Registry
from sepcli.separation.auto import Search, search
from sepcli.separation.check import check_options, check_space
from sepcli.separation.events import Done, Event, Failed, Finished, Planned, Skipped, Started
from sepcli.separation.examples import check_kept
from sepcli.separation.looking import check_pictures, put_into_words
from sepcli.separation.options import STREAM, SeparateOptions
from sepcli.separation.places import check_places
from sepcli.separation.plan import Job, Rejected, plan
from sepcli.separation.runner import Runner, choose_device
from sepcli.separation.single import Single, told
from sepcli.separation.streams import opened, redirected


def run(options: SeparateOptions) -> Generator[Event]:
    """Separate everything the options name.

    Yields:
        `Planned` first, `Done` last, and what happens between.

    Raises:
        SepcliError: before any work, if something must be refused; and when no further file
            could fare better, because the disk is full or memory exhausted.
    """
    model = Registry(options.registry).find(options.model).with_clip(options.clip)
    check_options(options, model)
    check_pictures(options.queries)
    check_kept((e for query in options.queries for e in query.examples), model)
    choose_device(options.device)
    with ExitStack() as stack:
        sources, found = opened(options.inputs, options.recursive, stack), Search()
        if options.auto:
            found = search(sources, options, model)
            sources = found.sources
        jobs, rejected = plan(sources, options, model)
        check_places(jobs, options)
        rejected = [*found.rejected, *rejected]
        if options.output == STREAM:
            jobs = [stack.enter_context(redirected(job)) for job in jobs]
        outputs = [output.path for job in jobs for output in job.outputs]
        seconds = sum(job.seconds for job in jobs)
        files = len(jobs) + len(rejected) + len(found.in_vain)
        yield Planned(files, seconds, tuple(map(str, outputs)))
        yield from found.events
        if options.dry_run:
            yield from (refusal(item) for item in rejected)
            return
        check_space(jobs, options)
        jobs = put_into_words(jobs, model)
        batch = Batch(options, load(model) if jobs else None)
        yield from batch.work(jobs, rejected, len(found.in_vain))


class Batch:
    """Works through jobs with one loaded model."""

    def __init__(self, options: SeparateOptions, loaded: LoadedModel | None) -> None:
        self._notices: list[str] = []
        self._counts = {"finished": 0, "skipped": 0, "failed": 0}
        self._exit_code = 0
        if loaded is not None:
            self._single = Single(options, loaded)
            self._runner = Runner(loaded.network, options, self._notices.append)

    def work(self, jobs: list[Job], rejected: list[Rejected], skipped: int = 0) -> Iterator[Event]:
        """All jobs; a failed one does not stop the others. Some were skipped before."""
        started = time.monotonic()
        self._counts["skipped"] += skipped
        for item in rejected:
            yield self._count(refusal(item))
        for index, job in enumerate(jobs):
            yield Started(str(job.info.path), index, job.seconds)
            try:
                for event in self._single.events(job, self._runner, self._notices):
                    yield self._count(event)
            except (OutputError, MemoryExhausted) as error:
                yield self._count(failure(job, error))
                break
            except SepcliError as error:
                yield self._count(failure(job, error))
            yield from told(job, self._notices)
        took = time.monotonic() - started
        yield Done(**self._counts, took=took, exit_code=self._exit_code)

    def _count(self, event: Event) -> Event:
        kinds = {Finished: "finished", Skipped: "skipped", Failed: "failed"}
        if (name := kinds.get(type(event))) is not None:
            self._counts[name] += 1
        if isinstance(event, Failed):
            self._exit_code = max(self._exit_code, event.exit_code)
        return event


def refusal(item: Rejected) -> Failed:
    """The event of a recording that could not even be planned."""
    error = item.error
    kind = type(error).__name__
    return Failed(str(item.source.path), str(error), error.remedy, error.exit_code, kind)


def failure(job: Job, error: SepcliError) -> Failed:
    """The event of a job that went wrong."""
    kind = type(error).__name__
    return Failed(str(job.info.path), str(error), error.remedy, error.exit_code, kind)
