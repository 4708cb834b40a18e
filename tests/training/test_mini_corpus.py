"""The corpus in examples/corpus/mini: what it may be used for, and whom it owes."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from sepcli import evaluation
from sepcli.training.corpora.check import usable
from sepcli.training.corpora.guard import leaks
from sepcli.training.corpora.licences import permissive
from sepcli.training.corpora.manifest import read_manifest
from sepcli.training.corpora.readers.esc import fold_split

MINI = Path(__file__).parents[2] / "examples/corpus/mini"
CLIPS = list(read_manifest(MINI / "mini.jsonl"))


def test_every_class_has_five_clips_to_train_on_and_one_to_validate() -> None:
    counts = Counter((clip.label, clip.split) for clip in CLIPS)
    labels = {clip.label for clip in CLIPS}
    assert len(labels) == 10
    assert counts == {(x, s): n for x in labels for s, n in (("train", 5), ("validation", 1))}


def test_its_splits_are_those_of_esc10() -> None:
    for clip in CLIPS:
        fold, recording, _ = clip.path.stem.split("-")
        assert recording == clip.origin
        assert fold in "123"
        assert clip.split == fold_split(fold, recording)


def test_no_clip_is_a_test_item() -> None:
    assert not leaks(CLIPS)
    table = Path(evaluation.__file__).parent / "demo/manifest.csv"
    with table.open(newline="") as file:
        tested = {row["freesound_id"] for row in csv.DictReader(file)}
    assert not tested & {clip.origin for clip in CLIPS}


def test_everyone_is_credited() -> None:
    page = (MINI / "README.md").read_text()
    for clip in CLIPS:
        assert f"| {clip.path.name} | {clip.credit} | {clip.licence} |" in page
        assert permissive(clip.licence)
        assert clip.ship


def test_the_files_are_small_and_whole() -> None:
    files = sorted(MINI.glob("*.ogg"))
    assert files == sorted(clip.path for clip in CLIPS)
    assert sum(path.stat().st_size for path in files) < 3e6
    heard = usable([replace(clip, duration=None) for clip in CLIPS], threads=1)
    for clip, whole in zip(CLIPS, heard, strict=True):
        info = soundfile.info(clip.path)
        assert (info.samplerate, info.channels) == (32_000, 1)
        assert whole.duration == pytest.approx(clip.duration, abs=1e-3)
