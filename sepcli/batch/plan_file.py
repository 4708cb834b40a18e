"""Plans on disk: a header that says how to separate, and a row for every recording.

A plan is a file of JSON lines, or of Parquet if its name says so. A million rows may be opened at
once: only their durations and where they lie are kept in memory.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from sepcli.batch.plan_header import Header
from sepcli.batch.plan_lines import LineRows, LineWriter, line_writer
from sepcli.batch.plan_row import REPLAN, Row, from_record
from sepcli.errors import OutputError, UsageError
from sepcli.separation.options import SeparateOptions
from sepcli.whole_file import written_whole

PARQUET = ".parquet"


class Rows(Protocol):
    """Stored rows.

    Attributes:
        header: of the plan.
        seconds: of every row.
        digest: of all that is stored.
    """

    header: Header
    seconds: array[float]
    digest: str

    def record(self, index: int) -> dict[str, Any]:
        """What is stored of a row."""
        ...

    def place(self, index: int) -> str:
        """Where that is, for people."""
        ...


class Plan:
    """A plan that was opened.

    Attributes:
        path: of its file.
        header: see `Header`.
        seconds: of every row.
        digest: tells it from all other plans.
    """

    def __init__(self, path: Path, rows: Rows) -> None:
        self.path, self._rows = path, rows
        self.header, self.seconds, self.digest = rows.header, rows.seconds, rows.digest

    def __len__(self) -> int:
        return len(self.seconds)

    @property
    def options(self) -> SeparateOptions:
        """Those that it was made with."""
        return self.header.options

    def row(self, index: int) -> Row:
        """A row, read from the file.

        Raises:
            UsageError: if the file has changed or gone since it was opened.
        """
        row = from_record(self._rows.record(index), self._rows.place(index))
        if row.id != index:
            raise UsageError(f"{self._rows.place(index)}: row {row.id}, not {index}", REPLAN)
        return row


class PlanWriter(Protocol):
    """Takes the rows of a plan, in order."""

    def add(self, row: Row) -> None:
        """Write a row."""
        ...


def read_plan(path: Path) -> Plan:
    """Open a plan, and see to it that it is whole.

    Raises:
        UsageError: if it is missing, cut off, changed, of another schema, or no plan at all.
    """
    if not path.is_file():
        raise UsageError(f"no such plan: {path}", "make one with `sepcli plan`")
    if path.suffix.lower() != PARQUET:
        return Plan(path, LineRows(path))
    from sepcli.batch.plan_parquet import ParquetRows

    return Plan(path, ParquetRows(path))


@contextmanager
def new_plan(path: Path, header: Header) -> Iterator[PlanWriter]:
    """Gives what writes a plan's file, which is there when the context is left, whole.

    Raises:
        UsageError: if it is Parquet and pyarrow is not installed.
        OutputError: if the disk is full or read-only; nothing half-written remains.
    """
    with written_whole(path) as partial, writer_for(path, partial, header) as writer:
        yield writer


@contextmanager
def printed_plan(file: BinaryIO, header: Header) -> Iterator[PlanWriter]:
    """Gives what writes a plan to standard output, which is cut off if something fails.

    Raises:
        OutputError: if the disk is full, or nobody reads on.
    """
    try:
        writer = LineWriter(file, header)
        yield writer
        writer.finish()
    except OSError as error:
        message = f"cannot print the plan: {error.strerror}"
        raise OutputError(message, "free some space, or write it with --to") from error


def writer_for(path: Path, partial: Path, header: Header) -> AbstractContextManager[PlanWriter]:
    """What writes to `partial`, in the format that `path` names."""
    if path.suffix.lower() == PARQUET:
        from sepcli.batch.plan_parquet import parquet_writer

        return parquet_writer(partial, header)
    return line_writer(partial.open("wb"), header)
