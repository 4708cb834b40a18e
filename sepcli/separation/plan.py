"""Which stems will be written where, decided and checked before any model is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sepcli.audio.formats import Encoding, choose
from sepcli.audio.reader import AudioInfo, probe
from sepcli.errors import ItemError, SepcliError, UsageError
from sepcli.registry.store import Model
from sepcli.separation.inputs import Source
from sepcli.separation.naming import fill_template, slug
from sepcli.separation.options import STREAM, SeparateOptions
from sepcli.separation.queries import Query

Kind = Literal["query", "stem", "residual", "removed", "mix"]


@dataclass(frozen=True)
class Output:
    """One stem to write.

    Attributes:
        index: of the network's stem it holds; None for what no stem took.
        inverted: whether it is the recording without that stem.
        gains: of all stems and the rest, of a mix.
    """

    path: Path
    name: str
    kind: Kind
    index: int | None = None
    inverted: bool = False
    gains: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Job:
    """One recording with all its stems.

    Attributes:
        stems: which of a network's fixed stems are wanted, by index; None for all, or queries.
        content: SHA-256 of the recording, where it is known already.
    """

    source: Source
    info: AudioInfo
    queries: tuple[Query, ...]
    outputs: tuple[Output, ...]
    encoding: Encoding
    start: float
    duration: float | None
    stems: tuple[int, ...] | None = None
    content: str | None = None

    @property
    def seconds(self) -> float:
        """Duration of what is separated."""
        rest = max(0.0, self.info.seconds - self.start)
        return rest if self.duration is None else min(rest, self.duration)


@dataclass(frozen=True)
class Rejected:
    """A recording that cannot be separated, and why."""

    source: Source
    error: SepcliError


def plan(
    sources: Sequence[Source], options: SeparateOptions, model: Model
) -> tuple[list[Job], list[Rejected]]:
    """Jobs for all readable recordings, and the others with their reasons.

    Raises:
        UsageError: if a recording has no queries.
    """
    jobs, rejected = [], []
    for source in sources:
        try:
            jobs.append(job_of(source, options, model))
        except ItemError as error:
            rejected.append(Rejected(source, error))
    return jobs, rejected


def job_of(source: Source, options: SeparateOptions, model: Model) -> Job:
    """The job of a recording.

    Raises:
        ItemError: if it cannot be read, or not from where it should start.
        UsageError: if nothing is asked for, or what the model does not answer.
    """
    info = probe(source.path)
    start = options.start if source.start is None else source.start
    duration = options.duration
    if source.end is not None:
        duration = source.end - start
    if start and start >= info.seconds > 0:
        message = f"{source.path} lasts {info.seconds:.1f} s and cannot start at {start:g} s"
        raise ItemError(message, "correct the start")
    queries = source.queries or options.queries
    if model.entry.query is not None and not queries:
        raise UsageError("nothing to look for", "describe a sound, such as --query 'dog barking'")
    if model.entry.stems is not None and queries:
        raise UsageError(f"model {model.name} answers no queries", "leave the queries out")
    encoding = choose(info.encoding, options.container, options.bits)
    outputs = tuple(_outputs(source, options, model, queries, encoding, start))
    fixed = model.entry.stems or []
    stems = tuple(fixed.index(stem) for stem in options.stems) or None
    return Job(source, info, queries, outputs, encoding, start, duration, stems)


def _outputs(
    source: Source,
    options: SeparateOptions,
    model: Model,
    queries: tuple[Query, ...],
    encoding: Encoding,
    start: float,
) -> list[Output]:
    fields = {
        "input": source.path.stem if str(source.path) != STREAM else "stdin",
        "ext": encoding.extension,
        "parent": source.path.absolute().parent.name,
        "model": model.name,
        "start": f"{start:g}",
        "end": "" if source.end is None else f"{source.end:g}",
    }

    def output(name: str, kind: Kind, index: int | None, inverted: bool = False) -> Output:
        relative = fill_template(options.template, {**fields, "query": slug(name)})
        folder = Path() if options.output == STREAM else Path(options.output)
        return Output(folder / source.folder / relative, name, kind, index, inverted)

    names = [query.name for query in queries]
    if model.entry.stems is not None:
        names = list(options.stems or model.entry.stems)
    if options.gains is not None:
        return [replace(output("mix", "mix", None), gains=options.gains)]
    if options.remove:
        return [output("no " + " and ".join(names), "removed", None)]
    kind: Kind = "query" if model.entry.stems is None else "stem"
    inverted = [query.inverted for query in queries] or [False] * len(names)
    outputs = [output(name, kind, i, inverted[i]) for i, name in enumerate(names)]
    if options.residual:
        outputs.append(output("residual", "residual", None))
    return outputs
