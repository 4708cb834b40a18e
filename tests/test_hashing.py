"""Hashes of files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from sepcli.hashing import sha256_of


def test_is_the_hash_of_the_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content" * 100_000)
    assert sha256_of(path) == hashlib.sha256(b"content" * 100_000).hexdigest()


def test_a_change_is_seen_even_if_size_and_time_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    before, state = sha256_of(path), path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert sha256_of(path) != before


def test_an_unchanged_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    first = sha256_of(path)
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("read again"))
    assert sha256_of(path) == first
