"""The user's own recordings: a folder for every item, or a list."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.errors import ItemError, UsageError
from sepcli.evaluation.datasets import folder, manifest

Tree = Callable[[str], Path]


def wav(path: Path) -> np.ndarray:
    return soundfile.read(path, always_2d=True)[0].T


def test_folders_with_and_without_a_mixture(tree: Tree) -> None:
    root = tree("folder")
    summed, mixed = folder.items(root, "all")
    assert [summed.name, mixed.name] == ["a song", "b song"]
    assert summed.stems == ("rest", "vocals")
    example = summed.read()
    total = wav(root / "a song/rest.wav") + wav(root / "a song/vocals.flac")
    np.testing.assert_allclose(example.mixture, total, atol=1e-7)
    example = mixed.read()
    assert tuple(example.references) == ("rest", "vocals")
    np.testing.assert_array_equal(example.mixture, wav(root / "b song/mixture.wav"))


def test_hidden_files_and_folders_without_recordings_are_left_out(tree: Tree) -> None:
    root = tree("folder")
    (root / "notes").mkdir()
    (root / "notes/readme.txt").write_text("none")
    (root / ".cache").mkdir()
    (root / "a song/._rest.wav").write_bytes(b"\0\5\x16\7")
    assert [item.name for item in folder.items(root, "all")] == ["a song", "b song"]
    assert folder.items(root, "all")[0].stems == ("rest", "vocals")


def test_folders_that_make_no_sense_fail_alone(tree: Tree) -> None:
    root = tree("folder")
    (root / "a song/vocals.wav").write_bytes(b"twice")
    for stem in ("vocals", "rest"):
        (root / f"b song/{stem}.wav").unlink()
    twice, alone = folder.items(root, "all")
    with pytest.raises(ItemError, match="a song: several recordings are named vocals"):
        twice.read()
    with pytest.raises(ItemError, match="b song: there is mixture, but no stem"):
        alone.read()


def test_a_list(tree: Tree) -> None:
    root = tree("manifest")
    summed, mixed = manifest.items(root, "all")
    assert [summed.name, mixed.name] == ["all", "z"]
    assert mixed.facts == {"genre": "folk", "year": 1999}
    assert mixed.queries == {"vocals": "a woman sings"}
    np.testing.assert_array_equal(mixed.read().mixture, wav(root / "b song/mixture.wav"))
    total = wav(root / "a song/rest.wav") + wav(root / "a song/vocals.flac")
    np.testing.assert_allclose(summed.read().references["song"], total, atol=1e-7)
    assert manifest.items(root / "manifest.jsonl", "all")[1].files == mixed.files


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: "),
        ("[]", "line 2 is not a JSON object"),
        ('{"item": "a"}', "references: Field required"),
        ('{"item": "a", "references": {}}', "references: Dictionary should have at least 1"),
        ('{"item": "a", "references": {"x": []}}', "references.x"),
        ('{"item": "a", "references": {"x": 3}}', "references.x"),
        ('{"item": "a", "references": {"x": "y"}, "mix": "z"}', "mix: Extra inputs"),
        ('{"item": "a", "references": {"x": "y"}, "queries": {"z": "q"}}', "a query for z"),
        ('{"item": "a", "references": {"x": "y"}, "facts": {"f": [1]}}', "facts.f"),
        ('{"item": "z", "references": {"x": "y"}}', "line 2: z is in line 1, too"),
    ],
)
def test_lines_that_are_wrong(tree: Tree, line: str, message: str) -> None:
    path = tree("manifest") / "manifest.jsonl"
    first = path.read_text().splitlines()[0]
    path.write_text(f"{first}\n{line}\n")
    with pytest.raises(UsageError, match=message) as caught:
        manifest.items(path, "all")
    assert "manifest.jsonl" in str(caught.value)


def test_lists_that_are_none(tree: Tree) -> None:
    root = tree("manifest")
    other = root / "other.jsonl"
    other.write_text(json.dumps({"text": "a log"}) + "\n")
    assert manifest.recognise(other) is None
    assert manifest.recognise(root / "a song/rest.wav") is None
    assert manifest.recognise(root / "a song") is None
    with pytest.raises(UsageError, match="cannot read"):
        manifest.items(root / "nowhere.jsonl", "all")
