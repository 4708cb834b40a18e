"""DCASE 2024 task 9: captioned clips, mixed at a given SNR as the task's baseline mixes them.

With mean powers p of the whole clips, the noise is scaled by sqrt(p_source / 10^(snr/10) / p_noise)
and added. If the mixture then exceeds 1, mixture and source are scaled by 0.9 / its peak.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from sepcli.errors import ItemError
from sepcli.evaluation.datasets.base import Dataset, Evidence, Example, Item
from sepcli.evaluation.datasets.broken import BrokenItem
from sepcli.evaluation.datasets.mixed import MixedItem
from sepcli.evaluation.datasets.sound import Track, read_sound
from sepcli.evaluation.datasets.tables import has_columns, read_table

RATE = 16_000  # Hz
PEAK = 0.9  # of a mixture that would clip
SHEET = "lass_synthetic_validation.csv"
CLIPS = "lass_validation"
COLUMNS = ("source", "noise", "snr", "caption")
TARGET = "target"  # the only reference


def items(root: Path, _split: str) -> list[Item]:
    """The rows of the CSV file, named by their numbers."""
    rows = read_table(root / SHEET, COLUMNS)
    return [row_item(root / CLIPS, f"{number:04}", row) for number, row in enumerate(rows)]


def row_item(clips: Path, name: str, row: dict[str, str]) -> Item:
    """One mixture; the fact `clip` is what mixtures of one source share."""
    source, noise = clips / f"{row['source']}.wav", clips / f"{row['noise']}.wav"
    try:
        snr = int(row["snr"])
    except ValueError:
        return BrokenItem(
            name, (source, noise), f"the SNR is {row['snr']!r}, not a whole number of dB"
        )
    return MixedItem(
        name,
        (TARGET,),
        (source, noise),
        partial(mix, source, noise, snr),
        {"snr": float(snr), "clip": row["source"], "sources": 2.0},
        {TARGET: row["caption"]},
    )


def mix(source: Path, noise: Path, snr: float) -> Example:
    """Two clips, 16 kHz mono, at `snr` dB.

    Raises:
        ItemError: if a file is missing or broken, lengths differ, or the noise is silent.
    """
    target, other = (read_sound(Track(path)).mono(RATE) for path in (source, noise))
    if len(target) != len(other):
        message = f"{source} has {len(target)} samples, {noise} {len(other)}"
        raise ItemError(message, "get the clips again")
    if not other.any():
        raise ItemError(f"{noise} is silent, so no SNR can be reached", "get the clip again")
    power = np.square(target).mean() / 10 ** (snr / 10)
    mixture = target + other * np.sqrt(power / np.square(other).mean())
    peak = np.abs(mixture).max()
    gain = PEAK / peak if peak > 1 else 1.0
    return Example(RATE, gain * mixture[None], {TARGET: gain * target[None]})


def recognise(root: Path) -> Evidence | None:
    """By the CSV file's name and header."""
    return Evidence(1.0, f"{SHEET}") if has_columns(root / SHEET, COLUMNS) else None


DATASET = Dataset(
    title="DCASE 2024 task 9, synthetic validation set",
    licence="unknown",
    size="1000 clips, 3000 mixtures",
    how_to_get="Zenodo record 10886481",
    signature=f"{SHEET} and {CLIPS}/<clip>.wav",
    protocols=("lass/dcase2024-t9",),
    splits={"validation": 3000},
    recognise=recognise,
    items=items,
    home=("dcase2024-t9", "dcase2024_task9", "lass"),
)
