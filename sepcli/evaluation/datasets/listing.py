"""What is in a folder: sub-folders and recordings, always in the same order."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".m4a", ".aiff", ".aif", ".opus", ".w64", ".caf")


def folders(root: Path) -> list[Path]:
    """Folders directly in `root`, by name; none if there is no such folder."""
    return [path for path in visible(root) if path.is_dir()]


def recordings(root: Path) -> list[Path]:
    """Recordings directly in `root`, by name, told by their suffix."""
    return [path for path in visible(root) if path.suffix.lower() in SUFFIXES]


def visible(root: Path) -> list[Path]:
    """All in a folder, by name, but for hidden files such as those macOS puts into archives."""
    if not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if not path.name.startswith("."))


def first_folder(candidates: Iterable[Path]) -> Path | None:
    """The first that exists."""
    return next((path for path in candidates if path.is_dir()), None)
