"""Plans as JSON lines: a header, the rows, and a footer that says how many there are.

Every row begins with its number and duration, so that a million rows are opened without parsing
them. The footer holds the hash of all lines before it: what was cut off or changed is noticed.
"""

from __future__ import annotations

import hashlib
import json
import re
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from sepcli.batch.plan_header import Header, header_of, header_record
from sepcli.batch.plan_row import REPLAN, Row, to_record
from sepcli.errors import UsageError

LONGEST = 1 << 26  # bytes of a line
BEGIN = re.compile(rb'\{"id": (\d+), "seconds": ([0-9.e+-]+), "path": ')
FOOTER = b'{"rows": '


class LineRows:
    """Rows of a file that was opened.

    Attributes:
        header: of the plan.
        seconds: of every row.
        digest: SHA-256 of header and rows.

    Raises:
        UsageError: if a line is damaged, or the footer does not fit the rows.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.seconds, self._offsets = array("d"), array("Q")
        content = hashlib.sha256()
        try:
            with path.open("rb") as file:
                line = file.readline(LONGEST)
                place = self._line(1)
                self.header = header_of(parsed(line, place), place)
                content.update(line)
                footer = self._index(file, len(line), content)
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}", "check the path") from error
        self.digest = content.hexdigest()
        if footer != {"rows": len(self.seconds), "sha256": self.digest}:
            raise UsageError(f"{path}: not the rows that were planned", REPLAN)

    def record(self, index: int) -> dict[str, Any]:
        """What is stored of a row.

        Raises:
            UsageError: if the file has changed since it was opened.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(self._offsets[index])
                line = file.readline(LONGEST)
        except OSError as error:
            message = f"cannot read {self._path}: {error.strerror}"
            raise UsageError(message, "the plan has to stay until its work is done") from error
        return parsed(line, self.place(index))

    def place(self, index: int) -> str:
        """Path and line of a row."""
        return self._line(index + 2)

    def _line(self, number: int) -> str:
        return f"{self._path}, line {number}"

    def _index(self, file: BinaryIO, offset: int, content: Any) -> dict[str, Any]:
        """Take in all rows; returns the footer."""
        while line := file.readline(LONGEST):
            place = self.place(len(self.seconds))
            if line.startswith(FOOTER):
                if file.read(1):
                    raise UsageError(f"{place}: more follows after the end of the plan", REPLAN)
                return parsed(line, place)
            begin = BEGIN.match(line)
            if begin is None or not line.endswith(b"}\n") or int(begin[1]) != len(self.seconds):
                message = f"{place}: not row {len(self.seconds)} of a plan"
                raise UsageError(message, REPLAN)
            self.seconds.append(float(begin[2]))
            self._offsets.append(offset)
            content.update(line)
            offset += len(line)
        message = f"{self._path} is cut off after line {len(self.seconds) + 1}"
        raise UsageError(message, REPLAN)


class LineWriter:
    """Writes a plan to an open file.

    Args:
        file: open for bytes.
        header: of the plan.
    """

    def __init__(self, file: BinaryIO, header: Header) -> None:
        self._file, self._content, self._rows = file, hashlib.sha256(), 0
        self._write(header_record(header))

    def add(self, row: Row) -> None:
        """Write a row."""
        self._write(to_record(row))
        self._rows += 1

    def finish(self) -> None:
        """Write the footer: without it, the plan counts as cut off."""
        footer = {"rows": self._rows, "sha256": self._content.hexdigest()}
        self._file.write(json.dumps(footer).encode() + b"\n")
        self._file.flush()

    def _write(self, record: dict[str, Any]) -> None:
        line = json.dumps(record).encode() + b"\n"
        self._content.update(line)
        self._file.write(line)


@contextmanager
def line_writer(file: BinaryIO, header: Header) -> Iterator[LineWriter]:
    """Gives what writes to a file, and closes it; without a footer after an error."""
    with file:
        writer = LineWriter(file, header)
        yield writer
        writer.finish()


def parsed(line: bytes, place: str) -> dict[str, Any]:
    """A line's object.

    Raises:
        UsageError: if it is none.
    """
    try:
        data = json.loads(line)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise UsageError(f"{place}: not a line of a plan", REPLAN)
    return data
