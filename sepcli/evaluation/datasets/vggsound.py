"""VGGSound: clips of videos by class, mixed as BiModalAudioSeparation does."""

from __future__ import annotations

from pathlib import Path

from sepcli.errors import UsageError
from sepcli.evaluation.datasets.base import Dataset, Evidence
from sepcli.evaluation.datasets.bimodal import HOW_TO_GET, LICENCE, SPLITS, Clip, listed
from sepcli.evaluation.datasets.mixed import MixedItem
from sepcli.evaluation.datasets.tables import read_rows

CLIPS = "annotations/test.csv"
ROUNDS = 2
CENTRE = 4.5  # s


def items(root: Path, split: str) -> list[MixedItem]:
    """Mixtures of the listed clips, rows of <clip>, <label>; labels may hold commas."""
    clips = {row[0].strip(): clip(root, row) for row in read_rows(root / CLIPS)}
    count = SPLITS[split]
    return listed(clips, root / f"annotations/test_sep_{count}.csv", count, ROUNDS)


def clip(root: Path, row: list[str]) -> Clip:
    """A clip around its middle; a listed path counts from its folder `audio`."""
    if len(row) < 2:
        message = f"{root / CLIPS} has a row that is not <clip>, <label>: {','.join(row)}"
        raise UsageError(message, "make the list again")
    name = row[0].strip().rpartition("audio/")[2]
    label = ",".join(row[1:]).strip().replace("_", " ")
    return Clip(root / "audio" / name, f"The sound of {label}", label, CENTRE)


def recognise(root: Path) -> Evidence | None:
    """By the list of clips, which other sets of videos by class may share."""
    path = root / CLIPS
    rows = read_rows(path)[:1] if path.is_file() else []
    if not (rows and len(rows[0]) >= 2 and rows[0][0].endswith(".wav")) or rows[0][-1].isdigit():
        return None
    return Evidence(0.7, f"{CLIPS} lists <clip>, <label>; other sets may be listed so, too")


DATASET = Dataset(
    title="VGGSound, two to four clips mixed",
    licence=LICENCE,
    size="unknown",
    how_to_get=HOW_TO_GET,
    signature=f"audio/<clip>.wav, {CLIPS} and, if made, annotations/test_sep_2.csv",
    protocols=("av/mir-eval-sources",),
    splits=dict.fromkeys(SPLITS),
    recognise=recognise,
    items=items,
    home=("vggsound", "VGGSound"),
)
