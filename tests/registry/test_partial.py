"""What is kept of a download that something ends."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from sepcli.errors import OutputError
from sepcli.registry.partial import Partial


class Ending:
    """A file that takes two bytes of what it is given, and then something happens."""

    def __init__(self, file: Any, error: BaseException) -> None:
        self._file, self._error = file, error

    def write(self, data: memoryview) -> int:
        self._file.write(data[:2])
        raise self._error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def write_until(error: BaseException) -> None:
    """A write that something ends."""
    with Partial(Path("a")) as partial:
        partial._file = Ending(partial._file, error)  # type: ignore[assignment]
        partial.write(b"dogs")


def test_a_signal_spoils_nothing() -> None:
    with pytest.raises(KeyboardInterrupt):
        write_until(KeyboardInterrupt())
    assert Path("a.partial").read_bytes() == b"do"
    with Partial(Path("a")) as partial:
        assert partial.size == 2
        partial.write(b"gs")
        partial.finish()
    assert [path.name for path in Path().iterdir()] == ["a"]
    assert Path("a").read_bytes() == b"dogs"


def test_a_full_disk_gets_its_space_back() -> None:
    with pytest.raises(OutputError):
        write_until(OSError(errno.ENOSPC, "full"))
    assert not list(Path().iterdir())
