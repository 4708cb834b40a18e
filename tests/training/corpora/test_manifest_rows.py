"""Manifests: what is written is what is read, and every wrong row is named."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sepcli.errors import UsageError
from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.manifest import read_manifest, write_manifest

AClip = Callable[..., Clip]


@pytest.fixture
def clips(tmp_path: Path, a_clip: AClip) -> list[Clip]:
    return [
        a_clip(
            tmp_path / "sounds/é.wav",
            labels=("dog", "rain"),
            start=1.5,
            duration=2.25,
            caption="A dog in the rain",
            phrases=("a dog", "rain"),
            corpus="mine",
            stream=2,
            ship=False,
        ),
        a_clip(tmp_path / "sounds/b.wav", "validation", corpus="mine"),
    ]


@pytest.mark.parametrize("name", ["list.jsonl", "list.parquet"])
def test_clips_survive(tmp_path: Path, clips: list[Clip], name: str) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "lists" / name
    write_manifest(path, clips)
    assert list(read_manifest(path)) == [
        Clip(**{**vars(clip), "path": path.parent / "../sounds" / clip.path.name}) for clip in clips
    ]
    assert [clip.path.resolve() for clip in read_manifest(path)] == [c.path for c in clips]
    assert [file.name for file in path.parent.iterdir()] == [name]


def test_a_corpus_may_move_with_its_manifest(tmp_path: Path, clips: list[Clip]) -> None:
    write_manifest(tmp_path / "here/list.jsonl", clips)
    (tmp_path / "here/deeper").mkdir()
    shutil.move(tmp_path / "here", tmp_path / "there")
    assert next(iter(read_manifest(tmp_path / "there/list.jsonl"))).path.resolve() == clips[0].path


def test_paths_are_right_in_linked_folders(tmp_path: Path, clips: list[Clip]) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a/b/c")
    write_manifest(tmp_path / "link/list.jsonl", clips)
    assert next(iter(read_manifest(tmp_path / "link/list.jsonl"))).path.resolve() == clips[0].path


def write_lines(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def test_what_a_row_may_leave_out(tmp_path: Path) -> None:
    row = {"path": "a.wav", "split": "train", "labels": ["dog"]}
    path = write_lines(tmp_path / "own.jsonl", {**row, "licence": "CC-BY-SA-4.0"}, "", row)
    one, other = read_manifest(path)
    assert one == Clip(
        tmp_path / "a.wav", ("dog",), "a.wav", "train", "CC-BY-SA-4.0", "", True, corpus="own"
    )
    assert not other.ship


def test_all_wrong_rows_are_named(tmp_path: Path) -> None:
    good = {"path": "a.wav", "split": "train", "labels": ["dog"]}
    path = write_lines(
        tmp_path / "m.jsonl",
        good,
        {**good, "licens": "CC0"},
        {**good, "split": "dev", "start": -1},
        {"path": "a.wav", "split": "train"},
        "{not json",
        [1, 2],
        {**good, "duration": 0, "labels": "dog"},
    )
    with pytest.raises(UsageError) as caught:
        read_manifest(path)
    for part in (
        "line 2: licens: unknown key (did you mean licence?)",
        "split: must be one of train, validation, test, not dev",
        "start: Input should be greater than or equal to 0, not -1",
        "line 4: file: needs labels, a caption, or phrases",
        "line 5: not JSON",
        "line 6: ",
        "line 7: duration: Input should be greater than 0, not 0",
        "labels: Input should be a valid tuple",
    ):
        assert part in str(caught.value)
    assert "line 1:" not in str(caught.value)


def test_only_so_many_wrong_rows_are_shown(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "m.jsonl", *[{"path": "a.wav"}] * 23)
    with pytest.raises(UsageError, match=r"line 20: .*; and 3 more$") as caught:
        read_manifest(path)
    assert "line 21" not in str(caught.value)


def test_a_missing_manifest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        read_manifest(tmp_path / "none.jsonl")


def test_broken_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow.parquet")
    (tmp_path / "m.parquet").write_bytes(b"PAR1 broken PAR1")
    with pytest.raises(UsageError, match=r"cannot read .*m\.parquet"):
        read_manifest(tmp_path / "m.parquet")


def test_parquet_without_pyarrow(
    tmp_path: Path, clips: list[Clip], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, module, None)
    path = tmp_path / "m.parquet"
    for use in (lambda: read_manifest(path), lambda: write_manifest(path, clips)):
        with pytest.raises(UsageError, match="needs pyarrow") as caught:
            use()
        assert "sepcli[hive]" in caught.value.remedy
    assert not path.exists()
