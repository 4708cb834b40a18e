"""What MUSDB18 and MUSDB18-HQ share: splits, stems, and which tracks validate."""

from __future__ import annotations

from pathlib import Path

STEMS = ("drums", "bass", "other", "vocals")
SPLITS = {"test": 50, "train": 86, "valid": 14}
VALIDATION = {
    "ANiMAL - Rockshow",
    "Actions - One Minute Smile",
    "Alexander Ross - Goodbye Bolero",
    "Clara Berry And Wooldog - Waltz For My Victims",
    "Fergessen - Nos Palpitants",
    "James May - On The Line",
    "Johnny Lokke - Promises & Lies",
    "Leaf - Summerghost",
    "Meaxic - Take A Step",
    "Patrick Talbot - A Reason To Leave",
    "Skelpolu - Human Mistakes",
    "Traffic Experiment - Sirens",
    "Triviul - Angelsaint",
    "Young Griffo - Pennies",
}  # of the folder train; the list of musdb's mus.yaml, since the files do not tell
LICENCE = "academic use only; most tracks CC BY-NC-SA, others on MedleyDB's terms"
PROTOCOLS = ("sisec18-csdr", "mdx-usdr", "bss-v4")


def folder_of(root: Path, split: str) -> Path:
    """Where the tracks of a split are."""
    return root / ("test" if split == "test" else "train")


def belongs(track: str, split: str) -> bool:
    """Whether a track of the split's folder is part of the split."""
    return split == "test" or (track in VALIDATION) == (split == "valid")
