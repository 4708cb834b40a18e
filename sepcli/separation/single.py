"""One recording of a batch: from its checks to stems that have their own names."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace

import numpy as np

from sepcli.audio.doubts import doubts
from sepcli.audio.tags import Tags, read_tags
from sepcli.audio.writer import StemWriter
from sepcli.errors import ItemError, is_memory
from sepcli.registry.load import LoadedModel
from sepcli.separation import provenance
from sepcli.separation.engine import Hearing, ask, separate
from sepcli.separation.events import (
    Event,
    Finished,
    Notice,
    Progress,
    Seen,
    Skipped,
    StemWritten,
)
from sepcli.separation.options import SeparateOptions
from sepcli.separation.outputs import decibels, levels_of, of_output, presence_of, silent_outputs
from sepcli.separation.plan import Job, Output
from sepcli.separation.runner import SHORTEST_SECONDS, Answering, exhausted


class Single:
    """Separates recordings, any number of them at once in threads of their own.

    Args:
        options: of the batch.
        loaded: its model.
    """

    def __init__(self, options: SeparateOptions, loaded: LoadedModel) -> None:
        self._options, self._loaded = options, loaded
        self._window = options.window  # shorter once memory has run out
        self._asking = threading.Lock()  # an encoder is loaded once, and embeds for one at a time

    def events(
        self, job: Job, runner: Answering, notices: list[str], key: str | None = None
    ) -> Iterator[Event]:
        """What happens to a recording between its start and its end.

        Args:
            job: the recording.
            runner: answers what is asked of its windows.
            notices: that the runner leaves there; they are told, and taken out.
            key: of its work, from a caller that has seen that it is not done.

        Raises:
            SepcliError: if it cannot be separated; nothing half-written is left.
        """
        if key is None:
            key = provenance.work_key(job, self._loaded.fingerprint, self._options)
            if self._options.skip_existing and provenance.is_done(job, key):
                yield Skipped(str(job.info.path), tuple(str(o.path) for o in job.outputs))
                return
        while True:
            given = self._window
            try:
                yield from self._once(job, runner, notices, key, given)
                return
            except (MemoryError, RuntimeError) as error:
                if not is_memory(error):
                    raise
            window = self._shorter(job, given)
            message = f"out of memory: again, with windows of {window:.1f} s"
            yield Notice(str(job.info.path), message)

    def _shorter(self, job: Job, given: float | None) -> float:
        """Half the window with which memory ran out, for all that follow.

        Raises:
            MemoryExhausted: if that is too short.
        """
        window = (given or self._loaded.model.entry.windows.length) / 2
        if window < SHORTEST_SECONDS:
            raise exhausted(f"{job.info.path}: out of memory")
        self._window = min(window, self._window or window)
        return window

    def _once(
        self, job: Job, runner: Answering, notices: list[str], key: str, window: float | None
    ) -> Iterator[Event]:
        options, path = self._options, str(job.info.path)
        self._refuse_strangers(job)
        yield from seen(job)
        began, done, hearing = time.monotonic(), 0, Hearing()
        with self._asking:
            question = ask(job, self._loaded, options)
        windowed, writer = replace(options, window=window), writer_of(job)
        stems = separate(job, question, self._loaded, runner, windowed, hearing)
        with ExitStack() as stack:
            stack.callback(stems.close)
            stack.enter_context(writer)
            for block in stems:
                with hearing.encode():
                    given = np.stack([of_output(output, block) for output in job.outputs])
                    hearing.write(given)
                    writer.write(given)
                done += block.shape[1]
                yield from told(job, notices)
                yield Progress(path, done / job.info.rate)
            yield from doubtful(job, done)
            yield from self._check_presence(job, hearing)
            with hearing.encode():
                silent = self._finish(job, writer, hearing, key)
            yield from written(job, hearing, silent)
        yield finished(job, done, time.monotonic() - began, writer.gain, hearing)

    def _finish(self, job: Job, writer: StemWriter, hearing: Hearing, key: str) -> list[Output]:
        """Give the stems their tags and their names; returns the silent ones, which get none."""
        tags = read_tags(job.info.path)
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
        for output in silent:
            provenance.forget(output.path)
        return silent

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


def writer_of(job: Job) -> StemWriter:
    """What writes a job's stems."""
    return StemWriter(
        [output.path for output in job.outputs],
        residual_at(job),
        job.info.rate,
        job.info.channels,
        job.encoding,
        expected=round(job.seconds * job.info.rate),
    )


def residual_at(job: Job) -> int | None:
    """Where the residual is, if the written stems and it sum to the recording."""
    kinds = [output.kind for output in job.outputs]
    plain = not any(query.inverted for query in job.queries)
    return kinds.index("residual") if "residual" in kinds and plain else None


def told(job: Job, notices: list[str]) -> Iterator[Event]:
    """Notices as events of a job; they are taken out."""
    while notices:
        yield Notice(str(job.info.path), notices.pop(0))


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


def written(job: Job, hearing: Hearing, silent: list[Output]) -> Iterator[Event]:
    """What was written of a job, and what was not because it is silent."""
    path = str(job.info.path)
    for output, level in levels_of(job, hearing).items():
        if output in silent:
            yield Notice(path, f"{output.name} is silent: not written")
            continue
        presence, name = presence_of(output, hearing), str(output.path)
        yield StemWritten(path, name, output.name, output.kind, presence, level)


def finished(job: Job, samples: int, took: float, gain: float, hearing: Hearing) -> Finished:
    """The event of a job that is done."""
    return Finished(
        str(job.info.path),
        samples / job.info.rate,
        took,
        gain,
        decibels(hearing.mismatch) if hearing.mismatch else None,
        hearing.decoding,
        hearing.device,
        hearing.encoding,
    )
