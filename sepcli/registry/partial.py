"""The part of a file that has been received, kept so that a later try, or run, can go on.

Beside the bytes lies a note of where they came from and what the server called that version of
the file. Only with that note, or with a hash to check against, may bytes of two answers be joined.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from sepcli.errors import OutputError
from sepcli.registry.cache import output_errors
from sepcli.registry.lockfile import Digest

READ = 1 << 20  # bytes at once


@dataclass(frozen=True)
class Origin:
    """Where bytes came from.

    Attributes:
        url: the address that was asked first, before redirects.
        validator: a strong entity tag, or the date of the last change; empty if unknown.
    """

    url: str = ""
    validator: str = ""


class Partial:
    """A file that grows in the folder of the file it will be, and its hash so far.

    Args:
        target: the whole file.

    Attributes:
        size: bytes so far.
        answers: of servers that the bytes came from; bytes of an earlier run count as one.
        origin: of the first of these answers.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(f"{target.name}.partial")
        self._note = target.with_name(f"{target.name}.partial.json")
        self._hash = hashlib.sha256()
        self.size = self.answers = 0
        self.origin = Origin()
        self._spoilt = False
        self._file: BinaryIO

    def __enter__(self) -> Partial:
        with output_errors(self._path.parent):
            self._file = self._path.open("a+b", buffering=0)  # a killed process loses nothing
        self._take_up()
        return self

    def __exit__(self, *_: object) -> None:
        empty = os.fstat(self._file.fileno()).st_size == 0
        self._file.close()
        if empty or self._spoilt:
            for leftover in (self._path, self._note):
                with suppress(OSError):
                    leftover.unlink(missing_ok=True)

    @property
    def digest(self) -> Digest:
        """What the bytes so far are."""
        return Digest(sha256=self._hash.hexdigest(), size=self.size or None)

    @property
    def name(self) -> str:
        """What the file will be called."""
        return self._target.name

    def clear(self) -> None:
        """Forget all bytes."""
        self.begin(Origin())

    def begin(self, origin: Origin) -> None:
        """Forget all bytes: a whole file follows."""
        with output_errors(self._path.parent):
            self._file.truncate(0)
            self._note.write_text(json.dumps(asdict(origin)), encoding="utf-8")
        self._hash = hashlib.sha256()
        self.size, self.answers, self.origin = 0, 1, origin

    def go_on(self) -> None:
        """Bytes of another answer follow."""
        self.answers += 1

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            OutputError: if the disk is full; what was received is deleted on the way out.
        """
        rest = memoryview(data)
        try:
            with output_errors(self._path.parent):
                while rest:  # a file that is nearly at its limit takes a part
                    rest = rest[self._file.write(rest) or 0 :]
        except OutputError:  # a signal spoils nothing: what it lets through is a beginning, too
            self._spoilt = True
            raise
        self._hash.update(data)
        self.size += len(data)

    def finish(self) -> None:
        """Give the whole file its name, safely on disk."""
        with output_errors(self._path.parent):
            os.fsync(self._file.fileno())
            self._path.replace(self._target)
            self._note.unlink(missing_ok=True)
            sync_folder(self._path.parent)

    def _take_up(self) -> None:
        with output_errors(self._path.parent):
            self._file.seek(0)
            while data := self._file.read(READ):
                self._hash.update(data)
                self.size += len(data)
        self.answers = 1 if self.size else 0
        with suppress(OSError, ValueError, TypeError):  # without a note, bytes are less worth
            self.origin = Origin(**json.loads(self._note.read_text(encoding="utf-8")))


def sync_folder(folder: Path) -> None:
    """Make a renaming durable; Windows does that by itself and cannot open folders."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
