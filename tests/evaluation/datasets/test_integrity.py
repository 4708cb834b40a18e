"""Completeness and hashes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sepcli.errors import ItemError
from sepcli.evaluation.datasets import dcase2024_t9, dnr2, folder
from sepcli.evaluation.datasets.integrity import (
    completeness,
    content_hash,
    item_hash,
    missing_files,
)

Tree = Callable[[str], Path]


def test_completeness_counts_items_with_all_their_files(tree: Tree) -> None:
    root = tree("dnr2")
    assert completeness(dnr2.DATASET, "tt", dnr2.items(root, "tt")) == "PARTIAL 2/973"
    (root / "tt/0999/music.wav").unlink()
    items = dnr2.items(root, "tt")
    assert completeness(dnr2.DATASET, "tt", items) == "PARTIAL 1/973"
    assert missing_files(items) == {"0999": (root / "tt/0999/music.wav",)}


def test_completeness_without_a_fixed_number(tree: Tree) -> None:
    items = folder.items(tree("folder"), "all")
    assert completeness(folder.DATASET, "all", items) == "complete 2"
    items[0].files[0].unlink()
    assert completeness(folder.DATASET, "all", items) == "PARTIAL 1/2"


def test_a_whole_split(monkeypatch: pytest.MonkeyPatch, tree: Tree) -> None:
    items = dnr2.items(tree("dnr2"), "tt")
    monkeypatch.setitem(dnr2.SPLITS, "tt", 2)
    assert completeness(dnr2.DATASET, "tt", items) == "complete 2"


def test_the_manifest_hash_is_of_names_and_sizes(tree: Tree, tmp_path: Path) -> None:
    root = tree("dnr2")
    items = dnr2.items(root, "tt")
    digest = content_hash(items)
    assert len(digest) == 64
    shutil.copytree(root, tmp_path / "copy")
    copies = dnr2.items(tmp_path / "copy", "tt")
    assert content_hash(copies) == digest == content_hash(reversed(items))
    assert content_hash(items[:1]) != digest
    path = root / "tt/1002/music.wav"
    whole = path.read_bytes()
    path.write_bytes(whole + b"\0")
    longer = content_hash(items)
    path.unlink()
    assert len({digest, longer, content_hash(items)}) == 3


def test_an_item_is_known_by_its_content(tree: Tree, tmp_path: Path) -> None:
    root = tree("dnr2")
    first, second = dnr2.items(root, "tt")
    digest = item_hash(first)
    assert digest != item_hash(second)
    shutil.copytree(root, tmp_path / "copy")
    assert item_hash(dnr2.items(tmp_path / "copy", "tt")[0]) == digest
    path = root / "tt/0999/sfx.wav"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert item_hash(first) != digest
    path.unlink()
    with pytest.raises(ItemError, match=r"sfx\.wav"):
        item_hash(first)


@pytest.mark.parametrize("hashed", [lambda items: item_hash(items[0]), content_hash])
def test_the_recipe_is_part_of_an_item(tree: Tree, hashed: Callable[[object], str]) -> None:
    root = tree("dcase2024-t9")
    sheet = root / "lass_synthetic_validation.csv"
    text = sheet.read_text()
    seen = set()
    for old, new in ((",5,", ",5,"), (",5,", ",6,"), ("a quiet sound", "another caption")):
        sheet.write_text(text.replace(old, new))
        seen.add(hashed(dcase2024_t9.items(root, "validation")))
    assert len(seen) == 3
