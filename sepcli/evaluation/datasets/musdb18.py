"""MUSDB18: songs with four stems, as AAC streams of one file each."""

from __future__ import annotations

from pathlib import Path

from sepcli.evaluation.datasets.base import Dataset, Evidence
from sepcli.evaluation.datasets.musdb import LICENCE, PROTOCOLS, SPLITS, STEMS, belongs, folder_of
from sepcli.evaluation.datasets.sound import Track
from sepcli.evaluation.datasets.stems import FileItem

SUFFIX = ".stem.mp4"


def items(root: Path, split: str) -> list[FileItem]:
    """The tracks of a split; stream 0 is the mixture, then drums, bass, other and vocals."""
    paths = sorted(folder_of(root, split).glob(f"[!.]*{SUFFIX}"))
    names = [(path.name.removesuffix(SUFFIX), path) for path in paths]
    return [
        FileItem(
            name,
            {stem: (Track(path, stream),) for stream, stem in enumerate(STEMS, 1)},
            Track(path, 0),
            {"split": split},
        )
        for name, path in names
        if belongs(name, split)
    ]


def recognise(root: Path) -> Evidence | None:
    """By the files' names."""
    found = [path for path in root.glob(f"*/*{SUFFIX}") if path.parent.name in ("train", "test")]
    return Evidence(1.0, f"{len(found)} *{SUFFIX} below train and test") if found else None


DATASET = Dataset(
    title="MUSDB18, songs with drums, bass, other and vocals (AAC, nothing above 16 kHz)",
    licence=LICENCE,
    size="4,684,228,845 bytes",
    how_to_get="Zenodo record 1117372, on request",
    signature=f"{{train,test}}/<artist - title>{SUFFIX}",
    protocols=tuple(f"musdb18/{name}" for name in PROTOCOLS),
    splits=SPLITS,
    recognise=recognise,
    items=items,
    home=("musdb18", "MUSDB18"),
)
