"""LibriMix: two or three readers of LibriSpeech, with or without noise."""

from __future__ import annotations

from pathlib import Path

from sepcli.evaluation.datasets.base import Dataset, Evidence
from sepcli.evaluation.datasets.speakers import evidence, mixtures, named, variant
from sepcli.evaluation.datasets.stems import FileItem

FOLDERS = ("test", "dev", "train-100", "train-360")
KINDS = {"": "mix_clean", "-noisy": "mix_both", "-single": "mix_single"}


def items(root: Path, split: str) -> list[FileItem]:
    """The mixtures of a split; of `-single`, one reader in noise."""
    subset = next(name for name in FOLDERS if split.startswith(name))
    kind = split.removeprefix(subset)
    folder = variant(root) / subset
    speakers = named(folder, "s{}", 1 if kind == "-single" else 3)
    return mixtures(folder, KINDS[kind], speakers, {"subset": subset})


def recognise(root: Path) -> Evidence | None:
    """By the names of the splits and of the folders in them."""
    return evidence(root, FOLDERS, KINDS.values())


DATASET = Dataset(
    title="LibriMix, two or three readers",
    licence="speech CC BY 4.0, noise CC BY-NC",
    size="430 GB with two speakers, 332 GB with three, in all variants",
    how_to_get="the scripts of github.com/JorisCos/LibriMix (MIT) make it",
    signature="Libri{2,3}Mix/wav{8k,16k}/{min,max}/<subset>/{s1,s2[,s3],mix_clean,mix_both,...}",
    protocols=("librimix/pit-si-sdri",),
    splits={
        f"{folder}{kind}": 3000 if folder == "test" else None
        for folder in FOLDERS
        for kind in KINDS
    },
    recognise=recognise,
    items=items,
    home=("Libri2Mix", "LibriMix/Libri2Mix", "Libri3Mix", "LibriMix/Libri3Mix"),
)
