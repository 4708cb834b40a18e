"""Hive: mixtures of labelled clips, each written down with its crops and gains.

A row names its sources: seconds [chunk_start, chunk_end) are cut from the file, made mono and
brought to the row's sample rate; from these, seconds [crop_start, crop_end), padded or cut to the
target's length and times `applied_weight`. The mixture is their sum times
`global_normalization_factor`; so are the references here, that they sum to the mixture.

The rows are published as Parquet; the same as one JSON object a line is read, too, and so is the
nested form of the JSON files beside Hive's premixed audio. Clips are at <root>/<path>, in
<root>/audio/<path>, or where <root>/dataset_paths.json says: {name: folder}, the folder's own name
being the first part of the paths.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sepcli.errors import ItemError, UsageError
from sepcli.evaluation.datasets.base import Dataset, Evidence, Example, Fact, Item
from sepcli.evaluation.datasets.broken import BrokenItem
from sepcli.evaluation.datasets.mixed import MixedItem
from sepcli.evaluation.datasets.sound import Track, fitted, read_sound
from sepcli.evaluation.datasets.tables import read_jsonl
from sepcli.evaluation.scene import Array
from sepcli.parquet_file import read_parquet

SPLITS = {"test": 100_000, "validation": 500_000, "train": 5_000_000}
PLACES = "dataset_paths.json"
MARK = b"global_normalization_factor"
FORGIVEN = 10  # samples that may be missing at a chunk's end, as Hive's own script has it
HEAD = 65_536  # bytes of a manifest that are searched for MARK; Parquet's schema is at its end


@dataclass(frozen=True)
class Source:
    """A clip, and what is made of it; times in seconds."""

    path: Path
    label: str
    snr: float
    chunk: tuple[float, float]
    crop: tuple[float, float]
    weight: float


def items(root: Path, split: str) -> list[Item]:
    """The mixtures of a split's manifest."""
    path = manifest(root, split)
    if path is None:
        message = f"no {split}/data.parquet or {split}/data.jsonl below {root}"
        raise UsageError(message, "download Hive's metadata")
    rows = read_parquet(path) if path.suffix == ".parquet" else [row for _, row in read_jsonl(path)]
    places = read_places(root / PLACES)
    made = [row_item(root, row, number, places) for number, row in enumerate(rows)]
    return sorted(made, key=lambda item: item.name)


def manifest(root: Path, split: str) -> Path | None:
    """Where the rows of a split are."""
    names = (f"{split}/data.jsonl", f"{split}.jsonl", f"{split}/data.parquet", f"{split}.parquet")
    return next((root / name for name in names if (root / name).is_file()), None)


def read_places(path: Path) -> dict[str, Path]:
    """First part of a clip's path -> the folder it stands for; none if there is no such file."""
    if not path.is_file():
        return {}
    try:
        folders = [Path(folder) for folder in json.loads(path.read_text("utf-8")).values()]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise UsageError(f"cannot use {path}: {error!r}", "correct the file") from error
    return {folder.name: path.parent / folder for folder in folders}


def row_item(root: Path, row: dict[str, Any], number: int, places: Mapping[str, Path]) -> Item:
    """One mixture, from the flat or the nested form of a row."""
    name = str(row.get("mix_id", f"row-{number:06}"))
    try:
        info = row.get("dataset_info", row)
        factor = float(row.get("mixing_params", row)["global_normalization_factor"])
        rate, seconds = int(info["sample_rate"]), float(info["target_duration"])
        sources = tuple(source(root, entry, places) for entry in listed(row["sources"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return BrokenItem(name, (), f"its row in the manifest cannot be used: {error!r}")
    numbered = [(f"s{place}", entry) for place, entry in enumerate(sources, 1)]
    classes: dict[str, Fact] = {f"class:{stem}": entry.label for stem, entry in numbered}
    numbers: dict[str, Fact] = {
        f"{fact}:{stem}": value
        for stem, entry in numbered
        for fact, value in (
            ("snr", entry.snr),
            ("gain", factor * entry.weight),
            ("start", entry.chunk[0] + entry.crop[0]),
        )
    }
    return MixedItem(
        name,
        tuple(stem for stem, _ in numbered),
        tuple(dict.fromkeys(entry.path for entry in sources)),
        partial(mix, sources, rate, int(seconds * rate), factor),
        {"sources": float(len(sources)), **classes, **numbers},
        {stem: entry.label for stem, entry in numbered},
    )


def listed(sources: Any) -> list[dict[str, Any]]:
    """Sources as a list of records; Parquet may hold them as a record of lists."""
    if isinstance(sources, dict):
        return [dict(zip(sources, row, strict=True)) for row in zip(*sources.values(), strict=True)]
    return list(sources)


def source(root: Path, entry: Mapping[str, Any], places: Mapping[str, Path]) -> Source:
    """What a row says of one clip."""
    times = ("chunk_start_second", "chunk_end_second", "crop_start_second", "crop_end_second")
    chunk_start, chunk_end, crop_start, crop_end = (float(entry[key]) for key in times)
    return Source(
        find(root, str(entry["path"]), places),
        str(entry["label"]),
        float(entry["snr_db"]),
        (chunk_start, chunk_end),
        (crop_start, crop_end),
        float(entry["applied_weight"]),
    )


def find(root: Path, path: str, places: Mapping[str, Path]) -> Path:
    """Where a clip is."""
    first, _, rest = path.partition("/")
    if first in places:
        return places[first] / rest
    return root / "audio" / path if (root / "audio").is_dir() else root / path


def mix(sources: tuple[Source, ...], rate: int, samples: int, factor: float) -> Example:
    """The sources of a row, mono, (1, samples) each, and their sum.

    Raises:
        ItemError: if a clip is missing, broken, or shorter than its chunk.
    """
    waves = [factor * entry.weight * cut(entry, rate, samples)[None] for entry in sources]
    references = {f"s{place}": wave for place, wave in enumerate(waves, 1)}
    return Example(rate, np.sum(waves, axis=0), references)


def cut(entry: Source, rate: int, samples: int) -> Array:
    """(samples,) of a clip, before its gains."""
    start, end = entry.chunk
    sound = read_sound(Track(entry.path), start, end)
    wanted = int(end * sound.rate) - int(start * sound.rate)
    if wanted - sound.wave.shape[1] > FORGIVEN:
        message = f"{entry.path} ends {wanted - sound.wave.shape[1]} samples before its chunk does"
        raise ItemError(message, "get the clip again")
    first, last = (int(second * rate) for second in entry.crop)
    return fitted(sound.mono(rate)[first:last], samples)


def recognise(root: Path) -> Evidence | None:
    """By a column that no other manifest has."""
    for split in SPLITS:
        path = manifest(root, split)
        if path is not None and MARK in edge(path):
            return Evidence(1.0, f"{path.relative_to(root).as_posix()} has {MARK.decode()}")
    return None


def edge(path: Path) -> bytes:
    """The first bytes of a file of JSON lines, the last ones of a Parquet file."""
    with path.open("rb") as file:
        if path.suffix == ".parquet":
            file.seek(max(0, path.stat().st_size - HEAD))
        return file.read(HEAD)


DATASET = Dataset(
    title="Hive, two to five labelled clips mixed",
    licence="metadata Apache-2.0; the clips keep their own",
    size="1.24 GB of metadata, and the clips of its twelve sources",
    how_to_get="Hugging Face, data set ShandaAI/Hive",
    signature=f"{{test,validation,train}}/data.{{parquet,jsonl}}, clips or {PLACES}",
    protocols=("hive/sdri",),
    splits=SPLITS,
    recognise=recognise,
    items=items,
    home=("hive", "Hive"),
)
