"""Where downloads are kept: `models/` in the cache, one folder for every source address.

Models that name the same address share the file, however often it is named. The folder is called
after a hash of the address, since an address may hold anything.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sepcli.errors import OutputError
from sepcli.home import cache_folder
from sepcli.registry.schema import ModelFile
from sepcli.registry.source import file_name

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def source_folder(source: str) -> Path:
    """The folder of an address, whether it is there or not."""
    return cache_folder() / "models" / hashlib.sha256(source.encode()).hexdigest()[:16]


def original_path(file: ModelFile) -> Path:
    """Where a file is kept as it was published."""
    return source_folder(file.source) / file_name(file.source)


def usable_path(file: ModelFile) -> Path:
    """Where a file is in the form that is loaded: converted, if its entry asks for that."""
    original = original_path(file)
    if file.convert is None:
        return original
    return original.with_name(f"{original.stem}.{file.convert}.safetensors")


@contextmanager
def output_errors(folder: Path) -> Iterator[None]:
    """Turn failures to write into an OutputError that says what to do."""
    try:
        yield
    except OSError as error:
        full = error.errno in NO_SPACE
        remedy = "free some space" if full else "make it writable"
        raise OutputError(
            f"cannot write to {folder}: {error.strerror or error}",
            f"{remedy}, or set SEPCLI_HOME to another folder",
        ) from error
