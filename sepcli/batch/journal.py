"""What became of every piece of work, safe against a kill at any moment.

Each process appends to a file of its own, so that none waits for another, on any file system.
Every line is on the disk before the next piece of work begins; the half of a line that a kill
left has no end, and is not read.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import socket
import struct
import threading
import time
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError

from sepcli.audio.tags import writable
from sepcli.errors import OutputError, UsageError
from sepcli.registry.partial import sync_folder

FOLDER = ".sepcli-journal"
SCHEMA = "sepcli-journal-1"
HEAD = struct.Struct("<dI?")  # moment, number of the journal, whether the work is done
MISSING = -1  # size of a stem that was not written because it is silent


@dataclass(frozen=True)
class Failure:
    """Why a piece of work was given up.

    Attributes:
        error: class of the error.
        message: that the user was told.
    """

    error: str
    message: str


@dataclass(frozen=True)
class Line:
    """A line of a journal.

    Attributes:
        key: see `sepcli.separation.provenance.work_key`.
        sizes: of the outputs, bytes; None for one that was not written.
        at: seconds since 1970.
    """

    key: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    state: Literal["done", "failed"]
    at: Annotated[float, Field(allow_inf_nan=False)]
    sizes: tuple[Annotated[int, Field(ge=0)] | None, ...] = ()
    error: str = ""
    message: str = ""


LINE = TypeAdapter(Line)


class Journal:
    """A writer's file, made with the first line; entered again, it is gone on with.

    Threads of the writer's process take turns.

    Args:
        output: the folder of the stems.
    """

    def __init__(self, output: Path) -> None:
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        self.path = output / FOLDER / name
        self._file: int | None = None
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def done(self, key: str, sizes: Sequence[int | None]) -> None:
        """Work is finished.

        Args:
            key: see `sepcli.separation.provenance.work_key`.
            sizes: of the outputs, bytes; None for one that was not written.

        Raises:
            OutputError: if the disk is full or read-only.
        """
        self._append({"key": key, "state": "done", "sizes": list(sizes), "at": time.time()})

    def failed(self, key: str, failure: Failure) -> None:
        """Work was given up.

        Raises:
            OutputError: if the disk is full or read-only.
        """
        said = {"error": failure.error, "message": writable(failure.message)}
        self._append({"key": key, "state": "failed", **said, "at": time.time()})

    def _append(self, line: dict[str, Any]) -> None:
        try:
            with self._turn:
                if self._file is None:
                    self._file = self._create()
                write_all(self._file, line)
            os.fsync(self._file)  # while others write: the disk takes many lines at once
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            remedy = "free some space" if full else "choose another -o folder"
            message = f"cannot write {self.path}: {error.strerror}"
            raise OutputError(message, f"{remedy}, and run the same command again") from error

    def _create(self) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        if not os.fstat(file).st_size:
            write_all(file, {"schema": SCHEMA})
            os.fsync(file)
            sync_folder(self.path.parent)
        return file


def write_all(file: int, line: dict[str, Any]) -> None:
    """Append a line."""
    rest = json.dumps(line).encode() + b"\n"
    while rest:
        rest = rest[os.write(file, rest) :]


class Ledger:
    """The journals of a folder, merged: some 200 bytes for every piece of work."""

    def __init__(self) -> None:
        self._entries: dict[bytes, bytes] = {}  # key -> HEAD, then sizes or a failure

    def __len__(self) -> int:
        return len(self._entries)

    def is_done(self, key: str, outputs: Iterable[Path]) -> bool:
        """Whether work was finished, and every output is still there with the size it had."""
        entry = self._entries.get(bytes.fromhex(key))
        if entry is None or not HEAD.unpack_from(entry)[2]:
            return False
        sizes = array("q", entry[HEAD.size :])
        paths = list(outputs)
        return len(sizes) == len(paths) and all(map(fits, paths, sizes))

    def failure(self, key: str) -> Failure | None:
        """Why work was given up; None if it was not."""
        entry = self._entries.get(bytes.fromhex(key))
        if entry is None or HEAD.unpack_from(entry)[2]:
            return None
        return Failure(**json.loads(entry[HEAD.size :]))

    def take(self, journal: int, line: Line) -> None:
        """Add a line of a journal; lines of one journal come in order."""
        key = bytes.fromhex(line.key)
        if (entry := self._entries.get(key)) is not None:
            at, other, _ = HEAD.unpack_from(entry)
            if other != journal and at > line.at:
                return
        head = HEAD.pack(line.at, journal, line.state == "done")
        if line.state == "done":
            sizes = (MISSING if size is None else size for size in line.sizes)
            self._entries[key] = head + array("q", sizes).tobytes()
        else:
            failure = {"error": line.error, "message": line.message}
            self._entries[key] = head + json.dumps(failure).encode()


def merge(output: Path) -> Ledger:
    """What the journals of a folder say of every piece of work.

    Of several lines about one piece the last of a journal counts, and of several journals the
    latest. Damaged lines are left out: their work is done again.

    Args:
        output: the folder of the stems.

    Raises:
        UsageError: if a journal is of a schema that is not known.
        OutputError: if one cannot be read.
    """
    ledger = Ledger()
    try:
        for number, path in enumerate(sorted((output / FOLDER).glob("*.jsonl"))):
            with path.open("rb") as file:
                if is_journal(file.readline(), path):
                    for line in filter(None, map(read_line, file)):
                        ledger.take(number, line)
    except OSError as error:
        message = f"cannot read {error.filename}: {error.strerror}"
        raise OutputError(message, "see to its permissions, or choose another -o") from error
    return ledger


def is_journal(first: bytes, path: Path) -> bool:
    """Whether a journal's first line is whole.

    Raises:
        UsageError: if it is of a schema that is not known: nothing in it may be forgotten.
    """
    if not first.endswith(b"\n"):
        return False  # its writer was killed before it wrote anything
    try:
        schema = json.loads(first)["schema"]
    except (ValueError, KeyError, TypeError):
        schema = "that is not known"
    if schema != SCHEMA:
        remedy = "use the sepcli that wrote it, or choose another -o folder"
        raise UsageError(f"{path}: a journal of schema {schema}", remedy)
    return True


def read_line(text: bytes) -> Line | None:
    """A line's content; None if it is torn or damaged."""
    try:
        return LINE.validate_json(text) if text.endswith(b"\n") else None
    except ValidationError:
        return None


def fits(path: Path, size: int) -> bool:
    """Whether a file is there and of a size; what was not written need not be there."""
    try:
        return size == MISSING or path.stat().st_size == size
    except OSError:
        return False
