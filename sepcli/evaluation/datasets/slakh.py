"""Slakh2100: synthesised music, its stems summed by instrument class."""

from __future__ import annotations

import re
from pathlib import Path

from sepcli.errors import UsageError
from sepcli.evaluation.datasets.base import Dataset, Evidence, Item
from sepcli.evaluation.datasets.broken import BrokenItem
from sepcli.evaluation.datasets.listing import folders
from sepcli.evaluation.datasets.sound import Track
from sepcli.evaluation.datasets.stems import FileItem
from sepcli.yaml_file import read_yaml

INDEX = "metadata.yaml"
NAME = re.compile(r"Track\d{5}")


def items(root: Path, split: str) -> list[Item]:
    """The tracks of a split."""
    return [track(folder) for folder in tracks(root / split)]


def tracks(folder: Path) -> list[Path]:
    """Folders named as tracks are."""
    return [path for path in folders(folder) if NAME.fullmatch(path.name)]


def track(folder: Path) -> Item:
    """A track with one reference for every class of instruments that is heard."""
    index = folder / INDEX
    try:
        found = classes(folder, read_yaml(index)["stems"])
    except (UsageError, KeyError, AttributeError, TypeError) as error:
        return BrokenItem(folder.name, (index,), f"cannot use {index}: {error!r}")
    mixture = Track(folder / "mix.flac")
    return FileItem(folder.name, found, mixture, {"sources": float(len(found))}, ragged=True)


def classes(folder: Path, stems: dict[str, dict[str, object]]) -> dict[str, tuple[Track, ...]]:
    """Instrument class -> tracks; stems that could not be rendered have no file."""
    found: dict[str, tuple[Track, ...]] = {}
    for name, stem in sorted(stems.items()):
        if stem.get("audio_rendered", True):
            label = str(stem["inst_class"])
            path = folder / "stems" / f"{name}.flac"
            found[label] = (*found.get(label, ()), Track(path))
    return dict(sorted(found.items()))


def recognise(root: Path) -> Evidence | None:
    """By the folders' names and what is in them."""
    found = sum(
        (folder / INDEX).is_file() for split in DATASET.splits for folder in tracks(root / split)
    )
    return Evidence(1.0, f"{found} folders Track00000 with {INDEX}") if found else None


DATASET = Dataset(
    title="Slakh2100, synthesised music by instrument class",
    licence="unknown",
    size="unknown",
    how_to_get="its publishers; the variant `redux` has no duplicates, hence fewer tracks",
    signature=f"{{train,validation,test}}/Track00001/{{mix.flac,{INDEX},stems/S00.flac}}",
    protocols=("slakh/si-sdri",),
    splits={"test": 225, "validation": 375, "train": 1500},
    recognise=recognise,
    items=items,
    home=("slakh2100_flac_redux", "slakh2100_flac", "slakh2100", "slakh"),
)
