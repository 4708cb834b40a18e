"""AudioCaps (Kim et al., 2019): captioned clips of YouTube videos, of which none may be shipped.

Of a clip with several captions, which those that validate and test have, the first is taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sepcli.errors import UsageError
from sepcli.evaluation.datasets.audiocaps import CAPTIONS, COLUMNS, PAIRS
from sepcli.evaluation.datasets.tables import read_rows, read_table
from sepcli.training.corpora.clip import Clip, Split

TRAIN_IDS = "annotations/train_ids.csv"
SPLITS: dict[str, Split] = {"train": "train", "val": "validation", "test": "test"}
LICENCE = "audio of YouTube"


def read_audiocaps(root: Path) -> Iterator[Clip]:
    """AudioCaps' own lists, annotations/{train,val,test}.csv; else those of BiModalAudioSeparation.

    The latter are annotations/parsed_all_caps.json, whose phrases are taken as they are,
    train_ids.csv, and test_sep2_ids.csv; what neither names validates.
    """
    if (root / "annotations/train.csv").is_file():
        yield from from_lists(root)
    else:
        yield from from_parsed(root)


def from_lists(root: Path) -> Iterator[Clip]:
    """By the official lists, each clip once."""
    for name, split in SPLITS.items():
        path = root / f"annotations/{name}.csv"
        seen: set[str] = set()
        for row in read_table(path, COLUMNS) if path.is_file() else []:
            file = f"{row['youtube_id']}_{row['start_time']}"
            if file not in seen:
                seen.add(file)
                yield clip(root, file, split, row["caption"])


def from_parsed(root: Path) -> Iterator[Clip]:
    """By the lists that the authors' scripts make."""
    trained = {row[0].strip() for row in read_rows(root / TRAIN_IDS)}
    pairs = root / PAIRS
    tested = (
        {name.strip() for row in read_rows(pairs) for name in row} if pairs.is_file() else set()
    )
    for name, row in parsed_captions(root / CAPTIONS).items():
        split: Split = "validation"
        if name in tested:
            split = "test"
        elif name in trained:
            split = "train"
        yield clip(root, row["file_id"], split, row["caption"], tuple(row["sources"]))


def parsed_captions(path: Path) -> dict[str, dict[str, Any]]:
    """AudioCaps' id -> file_id, caption and sources."""
    try:
        table: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        for row in table.values():
            if not (isinstance(row["file_id"], str) and isinstance(row["sources"], list)):
                raise TypeError(f"unexpected row {row}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"cannot use {path}: {error!r}", "get the file again") from error
    return table


def clip(root: Path, file: str, split: Split, caption: str, phrases: tuple[str, ...] = ()) -> Clip:
    """A clip of ten seconds; its origin is the video."""
    return Clip(
        path=root / f"audio/{file}.wav",
        labels=(),
        origin=file.rpartition("_")[0] or file,
        split=split,
        licence=LICENCE,
        credit=f"AudioCaps, YouTube {file}",
        ship=False,
        caption=caption,
        phrases=phrases,
        corpus="audiocaps",
    )
