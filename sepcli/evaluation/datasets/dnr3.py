"""Divide and Remaster, version 3: speech in many languages, music and sound effects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sepcli.evaluation.datasets.base import Dataset, Evidence
from sepcli.evaluation.datasets.dnr2 import scene, scenes
from sepcli.evaluation.datasets.listing import folders
from sepcli.evaluation.datasets.stems import FileItem

SPLITS = ("test", "val", "train")


def items(root: Path, split: str) -> list[FileItem]:
    """The mixtures of a split, of all the languages' subsets that are there."""
    return [
        replace(
            scene(folder, "mixture", f"{subset.name}/{folder.name}"),
            facts={"subset": subset.name},
        )
        for subset in subsets(root)
        for folder in folders(subset / split)
    ]


def subsets(root: Path) -> list[Path]:
    """Folders that hold splits: below audio, below `root`, or `root` itself."""
    if any((root / split).is_dir() for split in SPLITS):
        return [root]
    return folders(root / "audio") or folders(root)


def recognise(root: Path) -> Evidence | None:
    """By the four files of a mixture."""
    parents = [subset / split for subset in subsets(root) for split in SPLITS]
    found = scenes(parents, "mixture")
    return Evidence(1.0, f"{found} folders with mixture, speech, music and sfx") if found else None


DATASET = Dataset(
    title="Divide and Remaster v3: speech in many languages, music and sound effects",
    licence="CC BY-SA 4.0, parts vary",
    size="unknown",
    how_to_get="its authors (arXiv 2407.07275)",
    signature="audio/<subset>/{train,val,test}/<id>/{mixture,speech,music,sfx}.wav",
    protocols=("dnr3/snr",),
    splits=dict.fromkeys(SPLITS),
    recognise=recognise,
    items=items,
    home=("dnr_v3", "dnr3"),
)
