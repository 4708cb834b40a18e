"""Folders of speech mixtures: one folder for every role, the same file name in each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from sepcli.evaluation.datasets.base import Evidence, Fact
from sepcli.evaluation.datasets.listing import first_folder
from sepcli.evaluation.datasets.sound import Track
from sepcli.evaluation.datasets.stems import FileItem

VARIANTS = ("wav8k/min", "wav16k/min", "wav8k/max", "wav16k/max")  # the usual one first


def variant(root: Path) -> Path:
    """The folder of the sample rate and length that papers use, of those below `root`.

    To evaluate another, give it as root.
    """
    return first_folder(root / name for name in VARIANTS) or root


def mixtures(
    folder: Path, mixture: str, speakers: Mapping[str, str], facts: Mapping[str, Fact]
) -> list[FileItem]:
    """All mixtures of a folder, also those of which not every file is there.

    Args:
        folder: of the split.
        mixture: name of the folder of what is separated.
        speakers: stem -> name of the folder of its references.
        facts: of every item, besides the number of sources.
    """
    roles = [mixture, *speakers.values()]
    names = sorted({path.stem for role in roles for path in (folder / role).glob("[!.]*.wav")})
    return [
        FileItem(
            name,
            {stem: (Track(folder / role / f"{name}.wav"),) for stem, role in speakers.items()},
            Track(folder / mixture / f"{name}.wav"),
            {**facts, "mixture": mixture, "sources": float(len(speakers))},
        )
        for name in names
    ]


def named(folder: Path, pattern: str, most: int = 3) -> dict[str, str]:
    """Stem s1, s2, ... -> the folder that holds it, for as many speakers as there are.

    Args:
        folder: of the split.
        pattern: of the folders' names, such as "s{}_anechoic".
        most: how many speakers there can be.
    """
    names = {f"s{number}": pattern.format(number) for number in range(1, most + 1)}
    return {stem: name for stem, name in names.items() if (folder / name).is_dir()}


def two_speakers(root: Path, split: str) -> list[FileItem]:
    """The mixtures of a split whose folders are mix, s1 and s2."""
    folder = variant(root) / split
    return mixtures(folder, "mix", named(folder, "s{}", 2), {"subset": split})


def evidence(root: Path, splits: Iterable[str], roles: Iterable[str]) -> Evidence | None:
    """That splits of a data set are there, by folder names that no other data set has."""
    place = variant(root)
    found = splits_with(place, splits, roles)
    where = place.relative_to(root).as_posix()
    return Evidence(1.0, f"s1 and mix_* in {', '.join(found)} of {where}") if found else None


def splits_with(root: Path, splits: Iterable[str], roles: Iterable[str]) -> list[str]:
    """Those splits that have the folder s1, or s1_anechoic, and one of `roles`."""
    roles = tuple(roles)
    return [
        split
        for split in splits
        if any((root / split / name).is_dir() for name in ("s1", "s1_anechoic"))
        and any((root / split / role).is_dir() for role in roles)
    ]
