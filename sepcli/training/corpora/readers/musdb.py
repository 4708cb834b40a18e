"""MUSDB18 (Rafii et al., 2017) and MUSDB18-HQ: the stems of songs, by the official splits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sepcli.evaluation.datasets.listing import folders
from sepcli.evaluation.datasets.musdb import STEMS, VALIDATION
from sepcli.evaluation.datasets.musdb18 import SUFFIX
from sepcli.training.corpora.clip import Clip, Split

LABELS = {"other": "other instruments"}  # than drums, bass and voices
LICENCE = "academic use only"


def read_musdb18(root: Path) -> Iterator[Clip]:
    """{train,test}/<song>.stem.mp4: the mixture is stream 0, stems follow."""
    for part in ("train", "test"):
        for path in sorted((root / part).glob(f"[!.]*{SUFFIX}")):
            song = path.name.removesuffix(SUFFIX)
            for stream, stem in enumerate(STEMS, 1):
                yield clip(path, stem, song, part, "musdb18", stream)


def read_musdb18_hq(root: Path) -> Iterator[Clip]:
    """{train,test}/<song>/<stem>.wav."""
    for part in ("train", "test"):
        for folder in folders(root / part):
            for stem in STEMS:
                yield clip(folder / f"{stem}.wav", stem, folder.name, part, "musdb18-hq")


def clip(path: Path, stem: str, song: str, part: str, corpus: str, stream: int = 0) -> Clip:
    """One stem of a song of the folder `train` or `test`."""
    split: Split = "train"
    if part == "test":
        split = "test"
    elif song in VALIDATION:
        split = "validation"
    return Clip(
        path=path,
        labels=(LABELS.get(stem, stem),),
        origin=song,
        split=split,
        licence=LICENCE,
        credit=f"MUSDB18, {song}",
        ship=False,
        corpus=corpus,
        stream=stream,
    )
