"""Divide and Remaster, version 2: speech, music and sound effects, a minute each."""

from __future__ import annotations

from pathlib import Path

from sepcli.evaluation.datasets.base import Dataset, Evidence
from sepcli.evaluation.datasets.listing import folders
from sepcli.evaluation.datasets.sound import Track
from sepcli.evaluation.datasets.stems import FileItem

STEMS = ("speech", "music", "sfx")
SPLITS = {"tt": 973, "cv": 487, "tr": 3406}


def items(root: Path, split: str) -> list[FileItem]:
    """The mixtures of a split."""
    return [scene(folder, "mix", folder.name) for folder in folders(root / split)]


def scene(folder: Path, mixture: str, name: str) -> FileItem:
    """A folder with a mixture and the three stems, as both versions have it."""
    references = {stem: (Track(folder / f"{stem}.wav"),) for stem in STEMS}
    return FileItem(name, references, Track(folder / f"{mixture}.wav"))


def scenes(parents: list[Path], mixture: str) -> int:
    """How many folders below have the four files of a mixture."""
    names = (mixture, *STEMS)
    return sum(
        all((folder / f"{name}.wav").is_file() for name in names)
        for parent in parents
        for folder in folders(parent)
    )


def recognise(root: Path) -> Evidence | None:
    """By the four files of a mixture."""
    found = scenes([root / split for split in SPLITS], "mix")
    return Evidence(1.0, f"{found} folders with mix, speech, music and sfx") if found else None


DATASET = Dataset(
    title="Divide and Remaster v2: speech, music and sound effects",
    licence="unknown",
    size="unknown",
    how_to_get="Zenodo record 6949108",
    signature="{tr,cv,tt}/<id>/{mix,speech,music,sfx}.wav",
    protocols=("dnr/si-sdr",),
    splits=SPLITS,
    recognise=recognise,
    items=items,
    home=("dnr_v2", "dnr2", "dnr"),
)
