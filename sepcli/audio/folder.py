"""Recordings in folders, told by their names."""

from __future__ import annotations

from pathlib import Path

EXTENSIONS = frozenset(
    {
        "wav", "wave", "flac", "aif", "aiff", "aifc", "w64", "rf64", "caf", "au", "snd", "ogg",
        "oga", "opus", "mp3", "m4a", "m4b", "aac", "mp4", "mov", "mkv", "webm", "avi", "flv",
        "wma", "ape", "wv", "tta", "ac3", "eac3", "dts", "amr", "mpg", "mpeg", "ts", "3gp",
    }
)  # fmt: skip


def recordings_in(folder: Path, recursive: bool = False) -> list[Path]:
    """The files of a folder that are called as recordings are, sorted; hidden ones left out."""
    return sorted(
        path
        for path in folder.glob("**/*" if recursive else "*")
        if path.suffix.lower().lstrip(".") in EXTENSIONS
        and not path.name.startswith(".")
        and path.is_file()
    )
