"""Any folder of folders: one for every item, with a recording for every stem."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from sepcli.evaluation.datasets.base import Dataset, Evidence, Item
from sepcli.evaluation.datasets.broken import BrokenItem
from sepcli.evaluation.datasets.listing import folders, recordings
from sepcli.evaluation.datasets.sound import Track
from sepcli.evaluation.datasets.stems import FileItem

MIXTURE = "mixture"


def items(root: Path, _split: str) -> list[Item]:
    """The folders that have recordings."""
    return [item(folder) for folder in folders(root) if recordings(folder)]


def item(folder: Path) -> Item:
    """A folder's stems, named as the files; without a recording `mixture`, it is their sum."""
    paths = recordings(folder)
    twice = [stem for stem, count in Counter(path.stem for path in paths).items() if count > 1]
    if twice:
        return BrokenItem(folder.name, tuple(paths), f"several recordings are named {twice[0]}")
    found = {path.stem: Track(path) for path in paths}
    mixture = found.pop(MIXTURE, None)
    if not found:
        return BrokenItem(folder.name, tuple(paths), f"there is {MIXTURE}, but no stem")
    return FileItem(folder.name, {stem: (track,) for stem, track in found.items()}, mixture)


def recognise(root: Path) -> Evidence | None:
    """By folders with two recordings or more."""
    found = sum(len(recordings(folder)) > 1 for folder in folders(root))
    return Evidence(0.1, f"{found} folders with recordings of any name") if found else None


DATASET = Dataset(
    title="your own recordings, in a folder for every item",
    licence="yours",
    size="any",
    how_to_get="give its folder with --root",
    signature="<item>/<stem>.wav (or flac, ...), and mixture.wav unless it is the stems' sum",
    protocols=("folder/si-sdr", "folder/bss-v3", "folder/speech"),
    splits={"all": None},
    recognise=recognise,
    items=items,
)
