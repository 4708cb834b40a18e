"""Files that are whole, or as they were before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sepcli.errors import OutputError
from sepcli.whole_file import written_whole


def replace(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Replace a file by what `write` writes, once that is safely on disk.

    Raises:
        OutputError: if it could not be written; the old file is still there and no other.
    """
    with written_whole(path) as partial, told_of(path), partial.open("wb") as file:
        write(file)


@contextmanager
def told_of(path: Path) -> Iterator[None]:
    """Say what the system says of a file that cannot be written.

    torch.save answers a failed write with a RuntimeError of its own, whose context is the
    system's.

    Raises:
        OutputError: instead of OSError.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        system = _system_error(error)
        if system is None:
            raise
        message = f"cannot write {path}: {system.strerror}"
        remedy = "free some space or mend the folder, and go on from the last checkpoint"
        raise OutputError(message, remedy) from error


def _system_error(error: BaseException | None) -> OSError | None:
    while error is not None and not isinstance(error, OSError):
        error = error.__context__
    return error
