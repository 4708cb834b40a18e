"""A whole batch: plan, then one recording after another, telling what happens."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace

import numpy as np

from sepcli.audio.doubts import doubts
from sepcli.audio.tags import Tags, read_tags
from sepcli.audio.writer import StemWriter
from sepcli.errors import ItemError, MemoryExhausted, OutputError, SepcliError, is_memory
from sepcli.registry.load import LoadedModel, load
from sepcli.registry.store import Registry
from sepcli.separation import provenance
from sepcli.separation.auto import Search, search
from sepcli.separation.check import check_options, check_space
from sepcli.separation.engine import Hearing, ask, separate
from sepcli.separation.events import (
    Done,
    Event,
    Failed,
    Finished,
    Notice,
    Planned,
    Progress,
    Seen,
    Skipped,
    Started,
    StemWritten,
)
from sepcli.separation.examples import check_kept
from sepcli.separation.looking import check_pictures, put_into_words
from sepcli.separation.options import STREAM, SeparateOptions
from sepcli.separation.outputs import decibels, levels_of, of_output, presence_of, silent_outputs
from sepcli.separation.places import check_places
from sepcli.separation.plan import Job, Rejected, plan
from sepcli.separation.runner import (
    SHORTEST_SECONDS,
    Runner,
    choose_device,
    exhausted,
)
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
        self._options = options
        self._notices: list[str] = []
        self._counts = {"finished": 0, "skipped": 0, "failed": 0}
        self._exit_code = 0
        self._window = options.window
        if loaded is not None:
            self._loaded = loaded
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
                for event in self._backing_off(job):
                    yield self._count(event)
            except (OutputError, MemoryExhausted) as error:
                yield self._count(failure(job, error))
                break
            except SepcliError as error:
                yield self._count(failure(job, error))
            yield from self._told(job)
        took = time.monotonic() - started
        yield Done(**self._counts, took=took, exit_code=self._exit_code)

    def _backing_off(self, job: Job) -> Iterator[Event]:
        """A job; again with shorter windows if memory runs out outside the network."""
        while True:
            try:
                yield from self._one(job)
                return
            except (MemoryError, RuntimeError) as error:
                if not is_memory(error):
                    raise
            window = (self._window or self._loaded.model.entry.windows.length) / 2
            if window < SHORTEST_SECONDS:
                raise exhausted(f"{job.info.path}: out of memory")
            self._window = window
            yield Notice(
                str(job.info.path), f"out of memory: again, with windows of {window:.1f} s"
            )

    def _one(self, job: Job) -> Iterator[Event]:
        options, path = self._options, str(job.info.path)
        key = provenance.work_key(job, self._loaded.fingerprint, options)
        if options.skip_existing and provenance.is_done(job, key):
            yield Skipped(path, tuple(str(output.path) for output in job.outputs))
            return
        self._refuse_strangers(job)
        yield from seen(job)
        began, done, hearing = time.monotonic(), 0, Hearing()
        question = ask(job, self._loaded, options)
        writer = StemWriter(
            [output.path for output in job.outputs],
            self._residual_at(job),
            job.info.rate,
            job.info.channels,
            job.encoding,
            expected=round(job.seconds * job.info.rate),
        )
        windowed = replace(options, window=self._window)
        stems = separate(job, question, self._loaded, self._runner, windowed, hearing)
        with ExitStack() as stack:
            stack.callback(stems.close)
            stack.enter_context(writer)
            for block in stems:
                given = np.stack([of_output(output, block) for output in job.outputs])
                hearing.write(given)
                writer.write(given)
                done += block.shape[1]
                yield from self._told(job)
                yield Progress(path, done / job.info.rate)
            yield from doubtful(job, done)
            yield from self._finish(job, writer, hearing, key)
        seconds = done / job.info.rate
        mismatch = decibels(hearing.mismatch) if hearing.mismatch else None
        yield Finished(path, seconds, time.monotonic() - began, writer.gain, mismatch)

    def _finish(self, job: Job, writer: StemWriter, hearing: Hearing, key: str) -> Iterator[Event]:
        yield from self._check_presence(job, hearing)
        tags, path = read_tags(job.info.path), str(job.info.path)
        silent = silent_outputs(job, hearing) if self._options.drop_silent else []
        partials = dict(zip(job.outputs, writer.finish(), strict=True))
        for output in (output for output in job.outputs if output not in silent):
            text = {**tags.text}
            if "title" in text:
                text["title"] = [f"{text['title'][0]} ({output.name})"]
            presence = presence_of(output, hearing)
            facts = provenance.describe(job, output, self._loaded, key, presence, silent)
            provenance.note(partials[output], output.path, Tags(text, tags.pictures), facts)
        writer.commit(leave_out=[output.path for output in silent])
        for output, level in levels_of(job, hearing).items():
            presence = presence_of(output, hearing)
            if output in silent:
                provenance.forget(output.path)
                yield Notice(path, f"{output.name} is silent: not written")
                continue
            name = str(output.path)
            yield StemWritten(path, name, output.name, output.kind, presence, level)

    def _check_presence(self, job: Job, hearing: Hearing) -> Iterator[Event]:
        support = self._loaded.model.entry.query
        if support is None or hearing.presence is None:
            return
        for query, presence in zip(job.queries, hearing.presence, strict=True):
            if presence >= support.presence_threshold:
                continue
            message = f"{query.text or query.name!r} seems not to be in this recording"
            if self._options.require_presence:
                score = f"(presence {presence:.2f}, needed {support.presence_threshold:.2f})"
                raise ItemError(f"{message} {score}", "try other words, or drop --require-presence")
            yield Notice(str(job.info.path), f"{message} (presence {presence:.2f})")

    def _refuse_strangers(self, job: Job) -> None:
        """With --skip-existing, files that sepcli did not make are not replaced."""
        if not self._options.skip_existing:
            return
        for output in job.outputs:
            if output.path.exists() and provenance.read(output.path) is None:
                message = f"{output.path} is there already, and not made by sepcli"
                raise ItemError(message, "move it away, or give --overwrite")

    def _residual_at(self, job: Job) -> int | None:
        """Where the residual is, if the written stems and it sum to the recording."""
        kinds = [output.kind for output in job.outputs]
        plain = not any(query.inverted for query in job.queries)
        return kinds.index("residual") if "residual" in kinds and plain else None

    def _told(self, job: Job) -> Iterator[Event]:
        while self._notices:
            yield Notice(str(job.info.path), self._notices.pop(0))

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


def seen(job: Job) -> Iterator[Event]:
    """What a job's pictures were taken to show."""
    for query in job.queries:
        if (sight := query.sight) is not None:
            path = str(job.info.path)
            yield Seen(path, query.name, sight.label, sight.probability, sight.others)


def doubtful(job: Job, samples: int) -> Iterator[Event]:
    """What the user should know of a recording of which so many samples were decoded."""
    with suppress(OSError):  # gone by now: its samples are all here
        for doubt in doubts(job.info, job.start, job.duration, samples):
            yield Notice(str(job.info.path), doubt)
