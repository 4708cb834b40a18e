"""What tells one file's content from another's."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

REMEMBERED = 256  # files


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content in hexadecimal digits, read in parts.

    A file that has not changed since is not read again: gigabytes of weights are asked for when
    they are checked, when they are loaded, and when what they made is kept.
    """
    state = path.stat()
    return _sha256(path, state.st_ino, state.st_size, state.st_ctime_ns)


@lru_cache(maxsize=REMEMBERED)
def _sha256(path: Path, _inode: int, _size: int, _changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
