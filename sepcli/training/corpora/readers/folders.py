"""Recordings of your own, labelled by the names of folders or files; a part is set aside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sepcli.evaluation.datasets.folder import MIXTURE
from sepcli.evaluation.datasets.listing import folders, recordings
from sepcli.training.corpora.clip import VALIDATION_PERCENT, Clip, Split, percentile
from sepcli.training.corpora.licences import OWN

CREDIT = "made for this"


def read_class_folders(root: Path) -> Iterator[Clip]:
    """A folder of folders, each named for its label: synthesised or self-recorded sounds."""
    for folder in folders(root):
        for path in recordings(folder):
            yield own_clip(path, folder.name, path.stem, "class-folders")


def read_stems(root: Path) -> Iterator[Clip]:
    """A folder for every recording, with its stems, each labelled by its file's name."""
    for folder in folders(root):
        for path in recordings(folder):
            if path.stem != MIXTURE:
                yield own_clip(path, path.stem, folder.name, "stems")


def own_clip(path: Path, label: str, origin: str, corpus: str) -> Clip:
    """A clip of one's own; every tenth origin validates."""
    split: Split = "validation" if percentile(origin) < VALIDATION_PERCENT else "train"
    return Clip(path, (label,), origin, split, OWN, CREDIT, ship=True, corpus=corpus)
