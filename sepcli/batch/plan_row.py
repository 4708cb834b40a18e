"""A row of a plan: one recording with all its stems, as a flat record that people can read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sepcli.audio.formats import Encoding
from sepcli.audio.reader import AudioInfo
from sepcli.errors import UsageError
from sepcli.separation.inputs import Source
from sepcli.separation.plan import Job, Output
from sepcli.separation.queries import Query

REPLAN = "make the plan anew with `sepcli plan`"

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Row:
    """A recording to separate.

    Attributes:
        id: its place in the plan, from 0.
        sha256: of the recording's content, in hexadecimal digits.
        size: of the recording, bytes.
        job: its stems.
    """

    id: int
    sha256: str
    size: int
    job: Job


class Record(BaseModel):
    """A row as it is stored; `id` and `seconds` come first, see `plan_lines`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Count
    seconds: Seconds  # of what is separated
    path: Path
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size: Count
    rate: Annotated[int, Field(ge=1)]
    channels: Annotated[int, Field(ge=1)]
    samples: Count
    decoder: str
    stream: Count = 0
    stored_container: str
    stored_subtype: str
    stored_extension: str
    queries: tuple[Query, ...] = ()
    stems: tuple[int, ...] | None = None
    outputs: Annotated[tuple[Output, ...], Field(min_length=1)]
    container: str  # of the outputs
    subtype: str
    extension: str
    start: Seconds = 0.0
    duration: Seconds | None = None


def to_record(row: Row) -> dict[str, Any]:
    """What is stored of a row, in JSON's types; what is as usual is left out."""
    job, info = row.job, row.job.info
    record = Record(
        id=row.id,
        seconds=job.seconds,
        path=info.path,
        sha256=row.sha256,
        size=row.size,
        rate=info.rate,
        channels=info.channels,
        samples=info.samples,
        decoder=info.decoder,
        stream=info.stream,
        stored_container=info.encoding.container,
        stored_subtype=info.encoding.subtype,
        stored_extension=info.encoding.extension,
        queries=job.queries,
        stems=job.stems,
        outputs=job.outputs,
        container=job.encoding.container,
        subtype=job.encoding.subtype,
        extension=job.encoding.extension,
        start=job.start,
        duration=job.duration,
    )
    return record.model_dump(mode="json", exclude_defaults=True)


def from_record(data: dict[str, Any], place: str) -> Row:
    """The row of a record.

    Args:
        data: what `to_record` gave.
        place: the plan and its line, for errors.

    Raises:
        UsageError: if a field is missing, unknown or wrong.
    """
    try:
        record = Record.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{place}: {where}: {first['msg']}", REPLAN) from None
    return Row(record.id, record.sha256, record.size, job_of(record))


def job_of(record: Record) -> Job:
    """The job that a record was made of."""
    stored = Encoding(record.stored_container, record.stored_subtype, record.stored_extension)
    info = AudioInfo(
        record.path,
        record.rate,
        record.channels,
        record.samples,
        stored,
        record.decoder,
        record.stream,
    )
    return Job(
        Source(record.path),
        info,
        record.queries,
        record.outputs,
        Encoding(record.container, record.subtype, record.extension),
        record.start,
        record.duration,
        record.stems,
        record.sha256,
    )
