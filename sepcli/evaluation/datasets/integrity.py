"""Whether a data set is whole, and hashes that tell one copy of it from another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from sepcli.errors import ItemError
from sepcli.evaluation.datasets.base import Dataset, Item
from sepcli.hashing import sha256_of


def missing_files(items: Iterable[Item]) -> dict[str, tuple[Path, ...]]:
    """Name of every item that lacks files -> these files."""
    gaps = ((item.name, tuple(x for x in item.files if not x.is_file())) for item in items)
    return {name: paths for name, paths in gaps if paths}


def completeness(dataset: Dataset, split: str, items: Sequence[Item]) -> str:
    """How many items of a split have all their files, for people.

    Returns:
        "complete 50" or "PARTIAL 48/50"; for splits without a fixed number, what is listed counts.
    """
    whole = len(items) - len(missing_files(items))
    expected = dataset.splits[split]
    wanted = len(items) if expected is None else expected
    return f"complete {whole}" if whole == wanted else f"PARTIAL {whole}/{wanted}"


def content_hash(items: Iterable[Item]) -> str:
    """64 hexadecimal digits for what is said of the items, their files' names and sizes.

    It does not read the files, and does not depend on where they are or on the items' order. The
    size of a missing file is -1.
    """
    digest = hashlib.sha256()
    for item in sorted(items, key=lambda item: item.name):
        digest.update(_description(item))
        for path in item.files:
            size = path.stat().st_size if path.is_file() else -1
            digest.update(f"\t{path.name}\0{size}\n".encode())
    return digest.hexdigest()


def item_hash(item: Item) -> str:
    """64 hexadecimal digits for an item's name, stems, facts, queries, and its files' content.

    Facts hold the numbers that a mixture is made by, such as its SNR: they are part of it.

    Raises:
        ItemError: if a file cannot be read.
    """
    digest = hashlib.sha256(_description(item))
    for path in item.files:
        digest.update(_file_hash(path).encode())
    return digest.hexdigest()


def _description(item: Item) -> bytes:
    described = [item.name, item.stems, dict(item.facts), dict(item.queries)]
    return json.dumps(described, sort_keys=True).encode()


def _file_hash(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise ItemError(f"cannot read {path}: {error}", "complete the data set") from error
