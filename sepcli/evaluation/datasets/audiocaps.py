"""AudioCaps: captioned clips, mixed in pairs as BiModalAudioSeparation does.

A clip often holds several sounds; its caption names them all, and the clip is the reference.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from sepcli.errors import UsageError
from sepcli.evaluation.datasets.base import Dataset, Evidence
from sepcli.evaluation.datasets.bimodal import HOW_TO_GET, LICENCE, SEED, Clip, clip_of, composed
from sepcli.evaluation.datasets.mixed import MixedItem
from sepcli.evaluation.datasets.tables import has_columns, read_rows, read_table

CAPTIONS = "annotations/parsed_all_caps.json"
PAIRS = "annotations/test_sep2_ids.csv"
COLUMNS = ("audiocap_id", "youtube_id", "start_time", "caption")


def items(root: Path, _split: str) -> list[MixedItem]:
    """The authors' pairs, or every test clip with a random one of the validation split."""
    listing = root / PAIRS
    if listing.is_file():
        clips = captions(root)
        pairs = [[clip_of(name, clips, listing) for name in row] for row in read_rows(listing)]
    else:
        tests, others = (list(split_of(root, name).values()) for name in ("test", "val"))
        rng = random.Random(SEED)
        pairs = [[clip, rng.choice(others)] for clip in tests]
    return [composed(number, pair) for number, pair in enumerate(pairs)]


def captions(root: Path) -> dict[str, Clip]:
    """AudioCaps' id -> clip, of all splits."""
    path = root / CAPTIONS
    if not path.is_file():
        return {**split_of(root, "test"), **split_of(root, "val")}
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return {name: clip(root, row["file_id"], row["caption"]) for name, row in table.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"cannot use {path}: {error!r}", "get the file again") from error


def split_of(root: Path, split: str) -> dict[str, Clip]:
    """AudioCaps' id -> clip, by the CSV file of a split; files are <video>_<second>.wav."""
    rows = read_table(root / f"annotations/{split}.csv", COLUMNS)
    if not rows:
        raise UsageError(f"{root}/annotations/{split}.csv lists no clips", "get the file again")
    return {
        row["audiocap_id"]: clip(root, f"{row['youtube_id']}_{row['start_time']}", row["caption"])
        for row in rows
    }


def clip(root: Path, name: str, caption: str) -> Clip:
    """The middle of a clip, between silence if it is too short."""
    return Clip(root / f"audio/{name}.wav", caption, "", repeated=False)


def recognise(root: Path) -> Evidence | None:
    """By the lists' names and columns."""
    if (root / CAPTIONS).is_file():
        return Evidence(1.0, CAPTIONS)
    if has_columns(root / "annotations/test.csv", COLUMNS):
        return Evidence(1.0, "annotations/test.csv with AudioCaps' columns")
    return None


DATASET = Dataset(
    title="AudioCaps, two captioned clips mixed",
    licence=LICENCE,
    size="unknown",
    how_to_get=HOW_TO_GET,
    signature=f"audio/<video>_<second>.wav and {PAIRS} with {CAPTIONS}, or AudioCaps' CSV files",
    protocols=("av/mir-eval-sources",),
    splits={"test": None},
    recognise=recognise,
    items=items,
    home=("audiocaps", "AudioCaps"),
)
