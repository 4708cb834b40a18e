"""MUSDB18-HQ: the same songs as MUSDB18, as WAV files."""

from __future__ import annotations

from pathlib import Path

from sepcli.evaluation.datasets.base import Dataset, Evidence
from sepcli.evaluation.datasets.listing import folders
from sepcli.evaluation.datasets.musdb import LICENCE, PROTOCOLS, SPLITS, STEMS, belongs, folder_of
from sepcli.evaluation.datasets.sound import Track
from sepcli.evaluation.datasets.stems import FileItem


def items(root: Path, split: str) -> list[FileItem]:
    """The tracks of a split."""
    return [
        FileItem(
            folder.name,
            {stem: (Track(folder / f"{stem}.wav"),) for stem in STEMS},
            Track(folder / "mixture.wav"),
            {"split": split},
        )
        for folder in folders(folder_of(root, split))
        if belongs(folder.name, split)
    ]


def recognise(root: Path) -> Evidence | None:
    """By the five files of a track, which decoded MUSDB18 has as well."""
    tracks = folders(root / "train") + folders(root / "test")
    names = ("mixture", *STEMS)
    found = sum(all((track / f"{name}.wav").is_file() for name in names) for track in tracks)
    if not found:
        return None
    reason = f"{found} folders with mixture, drums, bass, other and vocals"
    return Evidence(0.9, f"{reason}; decoded MUSDB18 looks the same, but ends at 16 kHz")


DATASET = Dataset(
    title="MUSDB18-HQ, songs with drums, bass, other and vocals",
    licence=LICENCE,
    size="unknown",
    how_to_get="Zenodo record 3338373, on request",
    signature="{train,test}/<artist - title>/{mixture,drums,bass,other,vocals}.wav",
    protocols=tuple(f"musdb18hq/{name}" for name in PROTOCOLS),
    splits=SPLITS,
    recognise=recognise,
    items=items,
    home=("musdb18hq", "MUSDB18-HQ", "MUSDB18HQ"),
)
