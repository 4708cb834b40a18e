"""Files that are whole, or as they were before: written under another name and then renamed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safetensors import SafetensorError

from sepcli.audio.writer import partial_path
from sepcli.errors import OutputError


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Gives a place beside `target` to write to, and moves what is there to `target` at the end.

    Raises:
        OutputError: if the disk is full or read-only; nothing half-written remains.
    """
    partial = partial_path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(target)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        full = os.strerror(errno.ENOSPC) in reason
        remedy = "free some space" if full else "choose another folder for it"
        raise OutputError(f"cannot write {target}: {reason}", remedy) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
