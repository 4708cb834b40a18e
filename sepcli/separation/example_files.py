"""Where examples of a sound are: a recording, a folder of them, or an embedding that was kept."""

from __future__ import annotations

from pathlib import Path

from sepcli.audio.folder import recordings_in
from sepcli.errors import UsageError


def example_files(example: Path) -> list[Path]:
    """The files of an example: itself, or the recordings of a folder, not of folders in it."""
    return recordings_in(example) if example.is_dir() else [example]


def check_example(example: Path) -> None:
    """Refuse an example that is not there, and a folder without recordings.

    Raises:
        UsageError
    """
    if not example.exists():
        raise UsageError(f"no such example: {example}", "check the path given to --like")
    if not example_files(example):
        raise UsageError(f"no recordings in {example}", "give a folder with examples")
