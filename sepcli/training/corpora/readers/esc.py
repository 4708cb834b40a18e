"""ESC-10 and ESC-50 (K. J. Piczak, 2015), in which every recording is in one of five folds.

Fold 4 is the test that the project reports, and a third of fold 3 validates. Fold 5 is a test as
well: the project never used it, so that it stays fresh for whoever wants another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sepcli.evaluation.datasets.esc import MANIFEST, META, META_COLUMNS
from sepcli.evaluation.datasets.tables import read_table
from sepcli.training.corpora.clip import Clip, Split, percentile
from sepcli.training.corpora.licences import permissive

TEST_FOLDS = ("4", "5")
VALIDATION_FOLD = "3"
VALIDATION_PERCENT = 33  # of the recordings of that fold
COLUMNS = ("file", "label", "fold", "freesound_id", "author", "licence", "title")
LABELS = {
    "dog bark": "dog",
    "sea waves": "sea_waves",
    "baby cry": "baby_cry",
    "clock tick": "clock_tick",
    "person sneeze": "sneeze",
    "fire crackling": "fire",
    "crying_baby": "baby_cry",
    "sneezing": "sneeze",
    "crackling_fire": "fire",
}
SAMPLING = ("40730", "96460")  # recordings of ESC-10 under CC Sampling+


def read_esc10(root: Path) -> Iterator[Clip]:
    """ESC-10 with a manifest.csv that names everyone's licence; or its part of ESC-50's release."""
    if (root / META).is_file():
        yield from (clip for clip in read_esc50(root) if clip.corpus == "esc10")
        return
    for row in read_table(root / MANIFEST, COLUMNS):
        yield Clip(
            path=root / row["file"],
            labels=(LABELS.get(row["label"], row["label"]),),
            origin=row["freesound_id"],
            split=fold_split(row["fold"], row["freesound_id"]),
            licence=row["licence"],
            credit=f"{row['title']} by {row['author']}, freesound.org {row['freesound_id']}",
            ship=permissive(row["licence"]),
            corpus="esc10",
        )


def read_esc50(root: Path) -> Iterator[Clip]:
    """ESC-50 as it is released: meta/esc50.csv and audio/. Its clips of ESC-10 are CC BY."""
    for row in read_table(root / META, META_COLUMNS):
        of_ten, origin = row["esc10"] == "True", row["src_file"]
        licence = "CC-BY" if of_ten else "CC-BY-NC"
        if origin in SAMPLING:
            licence = "CC-Sampling+"
        yield Clip(
            path=root / "audio" / row["filename"],
            labels=(LABELS.get(row["category"], row["category"]),),
            origin=origin,
            split=fold_split(row["fold"], origin),
            licence=licence,
            credit=f"ESC-50 by K. J. Piczak, freesound.org {origin}",
            ship=permissive(licence),
            corpus="esc10" if of_ten else "esc50",
        )


def fold_split(fold: str, recording: str) -> Split:
    """The part of training that a recording of a fold belongs to."""
    if fold in TEST_FOLDS:
        return "test"
    validates = fold == VALIDATION_FOLD and percentile(recording) < VALIDATION_PERCENT
    return "validation" if validates else "train"
