"""Plans as Parquet: a column for every field of a row, and the header in the file's metadata."""

from __future__ import annotations

import json
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any

from sepcli.batch.plan_header import Header, header_of, header_record
from sepcli.batch.plan_row import REPLAN, Record, Row, to_record
from sepcli.errors import UsageError
from sepcli.hashing import sha256_of
from sepcli.parquet_file import pyarrow

METADATA = b"sepcli-plan"
GROUP = 2048  # rows that are written, and read, together


class ParquetRows:
    """Rows of a file that was opened.

    Attributes:
        header: of the plan.
        seconds: of every row.
        digest: SHA-256 of the file.

    Raises:
        UsageError: if pyarrow is not installed, or the file is no plan, or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        parquet = pyarrow(path, "pyarrow.parquet")
        try:
            self._file = parquet.ParquetFile(path)
            stored = (self._file.schema_arrow.metadata or {}).get(METADATA, b"{}")
            self.header = header_of(json.loads(stored), f"{path}")
            column = self._file.read(["seconds"]).column("seconds")
            self.seconds = array("d", column.to_numpy().tobytes())
            self.digest = sha256_of(path)
        except (OSError, ValueError) as error:
            raise UsageError(f"{path}: damaged: {error}", REPLAN) from error
        groups = self._file.metadata.num_row_groups
        counts = (self._file.metadata.row_group(group).num_rows for group in range(groups))
        self._starts = [0, *accumulate(counts)]
        self._held: tuple[int, list[dict[str, Any]]] = (-1, [])

    def record(self, index: int) -> dict[str, Any]:
        """What is stored of a row; its neighbours are kept, since they are asked for next.

        Raises:
            UsageError: if the file has changed since it was opened.
        """
        group = bisect_right(self._starts, index) - 1
        if self._held[0] != group:
            try:
                self._held = group, self._file.read_row_group(group).to_pylist()
            except (OSError, ValueError) as error:
                raise UsageError(f"{self.place(index)}: {error}", REPLAN) from error
        found: dict[str, Any] = without_nulls(self._held[1][index - self._starts[group]])
        return found

    def place(self, index: int) -> str:
        """Path and number of a row."""
        return f"{self._path}, row {index}"


class ParquetWriter:
    """Writes a plan in groups of rows.

    Args:
        path: of the file.
        header: of the plan.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self._arrow = pyarrow(path, "pyarrow")
        self._schema = columns(self._arrow).with_metadata(
            {METADATA: json.dumps(header_record(header)).encode()}
        )
        parquet = pyarrow(path, "pyarrow.parquet")
        self._file = parquet.ParquetWriter(path, self._schema)
        self._waiting: list[dict[str, Any]] = []

    def add(self, row: Row) -> None:
        """Write a row, or keep it until there are enough of them."""
        self._waiting.append(to_record(row))
        if len(self._waiting) == GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is left, and the file's end."""
        if self._waiting:
            self._flush()
        self._file.close()

    def _flush(self) -> None:
        try:
            table = self._arrow.Table.from_pylist(self._waiting, schema=self._schema)
        except UnicodeEncodeError as error:
            message = f"Parquet cannot hold the file name {error.object!r}"
            raise UsageError(message, "write the plan as JSON lines") from error
        finally:
            self._waiting.clear()
        self._file.write_table(table)


@contextmanager
def parquet_writer(path: Path, header: Header) -> Iterator[ParquetWriter]:
    """Gives what writes a file, and closes it."""
    writer = ParquetWriter(path, header)
    try:
        yield writer
    finally:
        writer.close()


def columns(arrow: Any) -> Any:
    """The schema; nested fields are those of `Query` and `Output`."""
    text, whole, real = arrow.string(), arrow.int64(), arrow.float64()
    picture = arrow.struct({"path": text, "at": real})
    sight = arrow.struct({"label": text, "probability": real, "others": arrow.list_(text)})
    query = {
        "name": text,
        "text": text,
        "examples": arrow.list_(text),
        "span": arrow.list_(real),
        "inverted": arrow.bool_(),
        "pictures": arrow.list_(picture),
        "sight": sight,
    }
    output = {
        "path": text,
        "name": text,
        "kind": text,
        "index": whole,
        "inverted": arrow.bool_(),
        "gains": arrow.list_(real),
    }
    kinds = {
        whole: ("id", "size", "rate", "channels", "samples", "stream"),
        real: ("seconds", "start", "duration"),
        text: (
            *("path", "sha256", "decoder", "stored_container", "stored_subtype"),
            *("stored_extension", "container", "subtype", "extension"),
        ),
        arrow.list_(whole): ("stems",),
        arrow.list_(arrow.struct(query)): ("queries",),
        arrow.list_(arrow.struct(output)): ("outputs",),
    }
    types = {name: kind for kind, names in kinds.items() for name in names}
    return arrow.schema([(name, types[name]) for name in Record.model_fields])


def without_nulls(value: Any) -> Any:
    """A record without what Parquet fills in for fields that were left out."""
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return [without_nulls(v) for v in value] if isinstance(value, list) else value
