"""Preparing: every file is decoded once, and what cannot be heard is counted and listed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from stem_mp4 import write_stem_mp4

from sepcli.errors import UsageError
from sepcli.training.corpora import prepare as module
from sepcli.training.corpora.manifest import read_manifest
from sepcli.training.corpora.prepare import prepare
from sepcli.training.corpora.prepared import Outcome, Rebuilt
from sepcli.training.corpora.readers import read_corpus

ESC10 = Path(__file__).parents[2] / "data/esc10"

Barks = Callable[[Path], Path]


def spoilt(root: Path, barks: Barks) -> Path:
    """Class folders with one of everything that can be wrong."""
    for name in ("dog/v1.wav", "dog/v5.wav", "dog/182395.wav"):
        barks(root / name)
    (root / "dog/broken.wav").write_text("no audio")
    (root / "dog/empty.wav").touch()
    (root / "dog/gone.wav").symlink_to(root / "nowhere.wav")
    soundfile.write(root / "dog/silent.wav", np.zeros(100), 8000)
    return root


def test_a_whole_corpus(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    out = tmp_path / "lists/esc10.jsonl"
    report = prepare("esc10", ESC10, out, decoded=lambda done, of: heard.append((done, of)))
    listed = read_corpus("esc10", ESC10)
    clips = list(read_manifest(out))
    assert heard == [(number, 10) for number in range(1, 11)]
    assert [clip.path.resolve() for clip in clips] == [clip.path for clip in listed]
    assert [clip.labels for clip in clips] == [clip.labels for clip in listed]
    assert [clip.duration for clip in clips] == [
        pytest.approx(soundfile.info(clip.path).duration) for clip in listed
    ]
    assert report.complete
    assert report.splits == {"train": 4, "validation": 4, "test": 2}
    assert report.seconds == pytest.approx(50, abs=0.1)
    assert (report.left_out, report.listing, report.held_back) == ({}, None, 0)


def test_what_cannot_be_heard_is_left_out_and_listed(tmp_path: Path, barks: Barks) -> None:
    root = spoilt(tmp_path / "mine", barks)
    report = prepare("class-folders", root, tmp_path / "mine.jsonl")
    assert report.left_out == {"broken": 2, "missing": 1, "silent": 1}
    assert not report.complete
    assert report.listing == tmp_path / "mine.problems.jsonl"
    rows = [json.loads(line) for line in report.listing.read_text().splitlines()]
    assert [(row["path"], row["problem"]) for row in rows] == [
        ("mine/dog/broken.wav", "broken"),
        ("mine/dog/empty.wav", "broken"),
        ("mine/dog/gone.wav", "missing"),
        ("mine/dog/silent.wav", "silent"),
    ]
    assert "empty file" in rows[1]["reason"]
    names = [clip.path.name for clip in read_manifest(report.manifest)]
    assert names == ["182395.wav", "v1.wav", "v5.wav"]


def test_test_items_are_held_back(tmp_path: Path, barks: Barks) -> None:
    root = spoilt(tmp_path / "mine", barks)
    report = prepare("class-folders", root, tmp_path / "mine.jsonl")
    assert report.held_back == 1
    assert [clip.split for clip in report.clips] == ["test", "train", "validation"]


def test_a_list_of_problems_goes_with_them(tmp_path: Path, barks: Barks) -> None:
    root = spoilt(tmp_path / "mine", barks)
    prepare("class-folders", root, tmp_path / "mine.jsonl")
    for name in ("broken", "empty", "gone", "silent"):
        (root / f"dog/{name}.wav").unlink()
    assert prepare("class-folders", root, tmp_path / "mine.jsonl").complete
    assert not (tmp_path / "mine.problems.jsonl").exists()


def test_nothing_is_written_if_nothing_can_be_heard(tmp_path: Path) -> None:
    shutil.copy(ESC10 / "manifest.csv", tmp_path)
    with pytest.raises(UsageError, match=r"none of 10 clips .* \(10 missing\): no such file"):
        prepare("esc10", tmp_path, tmp_path / "out/a.jsonl")
    assert not (tmp_path / "out").exists()


def test_a_manifest_is_known_by_its_suffix(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a\.csv is no manifest"):
        prepare("esc10", ESC10, tmp_path / "a.csv")


def test_a_manifest_may_be_prepared_again(tmp_path: Path, barks: Barks) -> None:
    root = spoilt(tmp_path / "mine", barks)
    first = prepare("class-folders", root, tmp_path / "mine.jsonl")
    (root / "dog/v1.wav").unlink()
    report = prepare("manifest", first.manifest, tmp_path / "again.jsonl")
    assert report.left_out == {"missing": 1}
    assert [clip.corpus for clip in read_manifest(report.manifest)] == ["class-folders"] * 2


def test_every_stream_of_a_song_is_measured(tmp_path: Path) -> None:
    write_stem_mp4(tmp_path / "songs/train/Band - First.stem.mp4", 0.5)
    report = prepare("musdb18", tmp_path / "songs", tmp_path / "songs.jsonl")
    clips = list(read_manifest(report.manifest))
    assert [clip.stream for clip in clips] == [1, 2, 3, 4]
    assert all(clip.duration and abs(clip.duration - 0.5) < 0.05 for clip in clips)


def test_debian_sounds_are_rebuilt_first(
    tmp_path: Path, barks: Barks, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = {"dog/a.ogg": Outcome("changed", "2.0")}

    def rebuild(folder: Path, *_: object, told: Callable[[str], None]) -> Rebuilt:
        told("0ad-data")
        barks(folder / "dog/a.ogg")
        header = "file,label,package,licence,ship\n"
        (folder / "manifest.csv").write_text(f"{header}dog/a.ogg,dog,0ad-data,CC0,yes\n")
        return Rebuilt(outcomes, {})

    monkeypatch.setattr(module, "prepare_debian_sounds", rebuild)
    fetched: list[str] = []
    report = prepare("debian-sounds", tmp_path / "d", tmp_path / "d.jsonl", fetched.append)
    assert fetched == ["0ad-data"]
    assert [clip.origin for clip in report.clips] == ["0ad-data"]
    assert not report.problems
    assert not report.complete
    outcomes["dog/a.ogg"] = Outcome("same", "1.0")
    assert prepare("debian-sounds", tmp_path / "d", tmp_path / "d.jsonl").complete
