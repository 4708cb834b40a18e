"""MoisesDB: songs with many tracks, grouped to the stems that separators know.

A song's data.json lists stems, each with tracks; a track is <stemName>/<id>.<extension>. What
is neither of a split's named stems is its `other`. There is no mixture: it is the sum of the
stems. A track that ends before the others is silent from there on.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from sepcli.evaluation.datasets.base import Dataset, Evidence, Fact, Item
from sepcli.evaluation.datasets.broken import BrokenItem
from sepcli.evaluation.datasets.listing import folders
from sepcli.evaluation.datasets.sound import Track
from sepcli.evaluation.datasets.stems import FileItem

INDEX = "data.json"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
FOUR = ("vocals", "drums", "bass")
GROUPS = {"4-stems": FOUR, "5-stems": (*FOUR, "guitar"), "6-stems": (*FOUR, "guitar", "piano")}


def items(root: Path, split: str) -> list[Item]:
    """All songs, with the stems of the split that they have."""
    return [song(folder, GROUPS[split]) for folder in songs(root)]


def songs(root: Path) -> list[Path]:
    """Folders of songs, which may be in one or two folders more."""
    below = [*folders(root), *(inner for folder in folders(root) for inner in folders(folder))]
    return sorted((path for path in below if UUID.fullmatch(path.name)), key=lambda path: path.name)


def song(folder: Path, named: tuple[str, ...]) -> Item:
    """A song whose other stems than `named` are one."""
    index = folder / INDEX
    try:
        data = json.loads(index.read_text(encoding="utf-8"))
        tracks = grouped(folder, data["stems"], named)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return BrokenItem(folder.name, (index,), f"cannot use {index}: {error!r}")
    facts: dict[str, Fact] = {key: str(data[key]) for key in ("artist", "genre") if key in data}
    return FileItem(
        folder.name, tracks, facts={**facts, "title": str(data.get("song", ""))}, ragged=True
    )


def grouped(
    folder: Path, stems: list[dict[str, object]], named: tuple[str, ...]
) -> dict[str, tuple[Track, ...]]:
    """Stem -> its tracks, named stems first; only stems that the song has."""
    found: dict[str, tuple[Track, ...]] = {}
    for stem in stems:
        name = str(stem["stemName"])
        tracks = stem["tracks"]
        if not isinstance(tracks, list):
            raise TypeError(f"tracks of {name} are not a list")
        group = name if name in named else "other"
        paths = [folder / name / f"{track['id']}.{track['extension']}" for track in tracks]
        found[group] = found.get(group, ()) + tuple(map(Track, paths))
    return {stem: found[stem] for stem in (*named, "other") if found.get(stem)}


def recognise(root: Path) -> Evidence | None:
    """By the folders' names and what is in them."""
    found = sum((folder / INDEX).is_file() for folder in songs(root))
    return Evidence(1.0, f"{found} UUID folders with {INDEX}") if found else None


DATASET = Dataset(
    title="MoisesDB, songs with four, five or six stems",
    licence="CC BY-NC-SA 4.0",
    size="unknown",
    how_to_get="music.ai/research, on request",
    signature=f"moisesdb_v0.1/<uuid>/{INDEX} and <stem>/<track>.wav",
    protocols=("moisesdb/usdr",),
    splits=dict.fromkeys(GROUPS),
    recognise=recognise,
    items=items,
    home=("moisesdb", "moisesdb_v0.1"),
)
