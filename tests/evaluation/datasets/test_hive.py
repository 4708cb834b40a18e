"""Hive's manifests: crops and gains as written down."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from sepcli.errors import ItemError, UsageError
from sepcli.evaluation.datasets import hive

Tree = Callable[[str], Path]


def rows_of(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / "test/data.jsonl").read_text().splitlines()]


def write_rows(root: Path, rows: list[dict[str, Any]]) -> None:
    (root / "test/data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_items_and_what_is_known_of_them(tree: Tree) -> None:
    items = hive.items(tree("hive"), "test")
    assert [item.name for item in items] == ["sample_00000001", "sample_00000003"]
    item = items[0]
    assert item.stems == ("s1", "s2")
    assert item.queries == {"s1": "Ocean", "s2": "Dog"}
    assert item.facts == {
        "sources": 2.0,
        "class:s1": "Ocean",
        "class:s2": "Dog",
        "snr:s1": 0.0,
        "snr:s2": -6.0,
        "gain:s1": 1.5,
        "gain:s2": pytest.approx(1.5 * 10 ** (-6 / 20)),
        "start:s1": 0.51,
        "start:s2": 0.52,
    }


def test_the_recipe(tree: Tree) -> None:
    root = tree("hive")
    example = hive.items(root, "test")[0].read()
    assert (example.rate, example.mixture.shape) == (44_100, (1, 4410))
    ocean = soundfile.read(root / "audio/corpus/ocean.wav")[0].mean(axis=1)
    dog = soundfile.read(root / "audio/corpus/dog.wav")[0]
    first = 1.5 * ocean[22_050:30_870][441 : 441 + 4410]
    second = 1.5 * 10 ** (-6 / 20) * dog[22_050:30_870][882 : 882 + 4410]
    np.testing.assert_allclose(example.references["s1"][0], first, atol=1e-7)
    np.testing.assert_allclose(example.references["s2"][0], second, atol=1e-7)
    np.testing.assert_allclose(example.mixture[0], first + second, atol=1e-7)


def test_a_crop_that_ends_early_is_padded(tree: Tree) -> None:
    root = tree("hive")
    rows = rows_of(root)
    for row in rows:
        row["sources"][0]["crop_end_second"] = 0.06
    write_rows(root, rows)
    reference = hive.items(root, "test")[0].read().references["s1"][0]
    assert reference[:2205].any()
    assert not reference[2205:].any()


def test_a_clip_at_another_rate(tree: Tree) -> None:
    root = tree("hive")
    soundfile.write(root / "audio/corpus/dog.wav", np.ones(22_050), 22_050)
    reference = hive.items(root, "test")[0].read().references["s2"][0]
    np.testing.assert_allclose(reference, 1.5 * 10 ** (-6 / 20), rtol=0.01)


def test_the_nested_form_is_the_same(tree: Tree) -> None:
    root = tree("hive")
    flat = hive.items(root, "test")
    nested = [
        {
            "mix_id": row["mix_id"],
            "dataset_info": {key: row[key] for key in ("split", "sample_rate", "target_duration")},
            "mixing_params": {
                key: row[key] for key in ("global_normalization_factor", "final_max_amplitude")
            },
            "sources": {key: [entry[key] for entry in row["sources"]] for key in row["sources"][0]},
        }
        for row in rows_of(root)
    ]
    write_rows(root, nested)
    for a, b in zip(flat, hive.items(root, "test"), strict=True):
        assert (a.name, a.facts, a.files) == (b.name, b.facts, b.files)
        np.testing.assert_array_equal(a.read().mixture, b.read().mixture)


def test_where_clips_are(tree: Tree) -> None:
    root = tree("hive")
    expected = hive.items(root, "test")[0].files
    (root / "audio/corpus").rename(root / "corpus")
    (root / "audio").rmdir()
    plain = hive.items(root, "test")[0].files
    assert plain == (root / "corpus/ocean.wav", root / "corpus/dog.wav")
    (root / "elsewhere").mkdir()
    (root / "corpus").rename(root / "elsewhere/corpus")
    (root / "dataset_paths.json").write_text('{"Corpus": "elsewhere/corpus"}')
    mapped = hive.items(root, "test")[0].files
    assert [path.name for path in mapped] == [path.name for path in expected]
    assert all(path.is_file() for path in mapped)
    (root / "dataset_paths.json").write_text("[]")
    with pytest.raises(UsageError, match=r"dataset_paths\.json"):
        hive.items(root, "test")


def test_a_row_that_cannot_be_used_fails_alone(tree: Tree) -> None:
    root = tree("hive")
    rows = rows_of(root)
    del rows[0]["sources"][1]["applied_weight"]
    write_rows(root, [*rows, {"sources": 3}])
    names = {item.name: item for item in hive.items(root, "test")}
    assert set(names) == {"sample_00000001", "sample_00000003", "row-000002"}
    for broken in ("sample_00000003", "row-000002"):
        with pytest.raises(ItemError, match="row in the manifest"):
            names[broken].read()
    assert names["sample_00000001"].read().rate == 44_100


def test_a_clip_that_is_too_short(tree: Tree) -> None:
    root = tree("hive")
    dog = root / "audio/corpus/dog.wav"
    wave = soundfile.read(dog)[0]
    soundfile.write(dog, wave[:30_859], 44_100)
    assert hive.items(root, "test")[0].read().mixture.any()
    soundfile.write(dog, wave[:30_858], 44_100)
    with pytest.raises(ItemError, match=r"dog\.wav ends 11 samples before its chunk"):
        hive.items(root, "test")[0].read()


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no test/data\.parquet"):
        hive.items(tmp_path, "test")
    assert hive.recognise(tmp_path) is None


@pytest.fixture
def parquet(tree: Tree) -> Path:
    """A root whose manifest is Parquet."""
    arrow = pytest.importorskip("pyarrow")
    root = tree("hive")
    table = arrow.Table.from_pylist(rows_of(root))
    pytest.importorskip("pyarrow.parquet").write_table(table, root / "test/data.parquet")
    return root


def test_parquet(parquet: Path) -> None:
    expected = [(item.name, item.facts) for item in hive.items(parquet, "test")]
    (parquet / "test/data.jsonl").unlink()
    assert [(item.name, item.facts) for item in hive.items(parquet, "test")] == expected
    evidence = hive.recognise(parquet)
    assert evidence is not None
    assert "data.parquet" in evidence.reason
    (parquet / "test/data.parquet").write_bytes(b"PAR1 broken PAR1")
    with pytest.raises(UsageError, match="cannot read"):
        hive.items(parquet, "test")


def test_parquet_without_pyarrow(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tree("hive")
    (root / "test/data.jsonl").rename(root / "test/data.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UsageError, match="needs pyarrow") as caught:
        hive.items(root, "test")
    assert "pip install pyarrow" in caught.value.remedy
    assert hive.recognise(root) is not None
