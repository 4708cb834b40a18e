"""MUSIC: solos of musical instruments, mixed as BiModalAudioSeparation does."""

from __future__ import annotations

from pathlib import Path

from sepcli.errors import UsageError
from sepcli.evaluation.datasets.base import Dataset, Evidence
from sepcli.evaluation.datasets.bimodal import HOW_TO_GET, LICENCE, SPLITS, Clip, listed
from sepcli.evaluation.datasets.mixed import MixedItem
from sepcli.evaluation.datasets.tables import read_rows

CLIPS = "annotations/test.csv"
ROUNDS = 10


def items(root: Path, split: str) -> list[MixedItem]:
    """Mixtures of the listed clips, rows of /<instrument>/<clip>, frames, seconds."""
    clips = {row[0].strip(): clip(root, row) for row in read_rows(root / CLIPS)}
    count = SPLITS[split]
    return listed(clips, root / f"annotations/test_sep_{count}.csv", count, ROUNDS)


def clip(root: Path, row: list[str]) -> Clip:
    """A clip around the middle of its list's seconds, which are its video's frames at 1 Hz."""
    try:
        name, seconds = row[0].strip().lstrip("/"), int(row[2])
        instrument, _ = name.split("/")
    except (IndexError, ValueError) as error:
        message = f"{root / CLIPS} has a row that is not /<instrument>/<clip>, frames, seconds"
        raise UsageError(f"{message}: {','.join(row)}", "make the list again") from error
    label = instrument.replace("_", " ")
    return Clip(root / "audio" / name, f"The sound of {label}", label, seconds // 2 + 0.5)


def recognise(root: Path) -> Evidence | None:
    """By the list of clips, which other sets of videos by class may share."""
    path = root / CLIPS
    rows = read_rows(path)[:1] if path.is_file() else []
    if not (rows and len(rows[0]) == 3 and rows[0][0].startswith("/") and rows[0][2].isdigit()):
        return None
    reason = f"{CLIPS} lists /<class>/<clip>, frames, seconds; AVE may be listed so, too"
    return Evidence(0.8, reason)


DATASET = Dataset(
    title="MUSIC, solos of instruments, two to four mixed",
    licence=LICENCE,
    size="unknown",
    how_to_get=HOW_TO_GET,
    signature=f"audio/<instrument>/<clip>.wav, {CLIPS} and, if made, annotations/test_sep_2.csv",
    protocols=("av/mir-eval-sources",),
    splits=dict.fromkeys(SPLITS),
    recognise=recognise,
    items=items,
    home=("music", "MUSIC"),
)
