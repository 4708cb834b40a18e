"""The six packs of AudioSep's benchmark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.errors import UsageError
from sepcli.evaluation.datasets.audiosep import DATASETS
from sepcli.evaluation.datasets.base import Item

Tree = Callable[[str], Path]


def items(name: str, root: Path) -> list[Item]:
    return list(DATASETS[name].items(root, "test"))


@pytest.mark.parametrize(
    ("name", "query", "facts"),
    [
        ("audiosep-audiocaps", "a dog barks, twice", {"sources": 2.0}),
        ("audiosep-clotho", "a machine whines", {"sources": 3.0}),
        ("audiosep-music", "accordion", {"sources": 2.0, "class": "accordion"}),
        ("audiosep-esc50", "dog", {"sources": 2.0, "class": "dog"}),
    ],
)
def test_numbered_packs(tree: Tree, name: str, query: str, facts: dict[str, object]) -> None:
    root = tree(name)
    item = items(name, root)[0]
    assert (item.name, item.stems) == ("0", ("target",))
    assert (item.queries, item.facts) == ({"target": query}, facts)
    example = item.read()
    assert example.rate == 32_000
    for wave, kind in ((example.mixture, "mixture"), (example.references["target"], "segment")):
        np.testing.assert_array_equal(wave[0], soundfile.read(root / f"{kind}-0.wav")[0])


def test_the_csv_file_of_audioseps_repository(tree: Tree) -> None:
    root = tree("audiosep-music")
    data = root / "evaluation/data/music"
    data.mkdir(parents=True)
    for path in [*root.glob("segment-*"), *root.glob("mixture-*")]:
        path.rename(data / path.name)
    (root / "evaluation/metadata").mkdir()
    (root / "music_eval.csv").rename(root / "evaluation/metadata/music_eval.csv")
    assert [item.facts["class"] for item in items("audiosep-music", data)] == ["accordion", "cello"]
    evidence = DATASETS["audiosep-music"].recognise(data)
    other = DATASETS["audiosep-esc50"].recognise(data)
    assert evidence is not None
    assert other is not None
    assert evidence.certainty > other.certainty


def test_without_the_csv_file_there_are_no_queries(tree: Tree) -> None:
    root = tree("audiosep-music")
    (root / "music_eval.csv").unlink()
    found = items("audiosep-music", root)
    assert [item.name for item in found] == ["0", "1"]
    assert all(not item.queries and item.facts == {"sources": 2.0} for item in found)
    certainties = {
        evidence.certainty for x in DATASETS.values() if (evidence := x.recognise(root)) is not None
    }
    assert certainties == {0.4}


def test_a_row_without_files_is_listed(tree: Tree) -> None:
    root = tree("audiosep-esc50")
    (root / "segment-1.wav").unlink()
    found = items("audiosep-esc50", root)
    assert len(found) == 2
    assert not found[1].files[1].is_file()


def test_vggsound(tree: Tree) -> None:
    root = tree("audiosep-vggsound")
    found = items("audiosep-vggsound", root)
    assert [item.name[:8] for item in found] == ["a_000001", "b_000001"]
    assert found[0].queries == {"target": "a, humming"}
    assert found[0].facts == {"class": "a, humming", "sources": 2.0}
    example = found[0].read()
    path = root / f"data/s0_wav/{found[0].name}.wav"
    np.testing.assert_array_equal(example.references["target"][0], soundfile.read(path)[0])
    (root / "vggsound_eval.csv").unlink()
    bare = items("audiosep-vggsound", root)
    assert [item.name for item in bare] == [item.name for item in found]
    assert bare[0].files == found[0].files
    assert bare[0].queries == {}


def test_audioset(tree: Tree) -> None:
    root = tree("audiosep-audioset")
    found = items("audiosep-audioset", root)
    assert [item.name for item in found] == [
        f"class_id={n}/class_id={n},index=000" for n in range(2)
    ]
    assert found[1].facts == {"class": "Male speech, man speaking", "sources": 2.0}
    assert found[1].queries == {"target": "Male speech, man speaking"}
    example = found[1].read()
    for kind, wave in (("mixture", example.mixture), ("source", example.references["target"])):
        path = root / f"{found[1].name},{kind}.wav"
        np.testing.assert_array_equal(wave[0], soundfile.read(path)[0])
    (root / "audioset_eval.csv").unlink()
    bare = items("audiosep-audioset", root)
    assert [(x.name, x.facts["class"], x.queries) for x in bare] == [
        (x.name, str(n), {}) for n, x in enumerate(found)
    ]
    assert bare[0].files == found[0].files


@pytest.mark.parametrize(
    ("text", "message"),
    [("idx,text\n0,a\n", "no column caption"), ("idx,caption\n0\n", "row 2: 1 values for 2")],
)
def test_a_broken_csv_file(tree: Tree, text: str, message: str) -> None:
    root = tree("audiosep-music")
    (root / "music_eval.csv").write_text(text)
    with pytest.raises(UsageError, match=message):
        items("audiosep-music", root)
