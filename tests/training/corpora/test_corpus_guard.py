"""Test items are found under other names, and no training gets them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sepcli.errors import UsageError
from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.guard import FOLDER, held_back, leaks, refuse_leaks, reserved

AClip = Callable[..., Clip]

FOLD_4 = "a recording of ESC-10's fold 4"


@pytest.mark.parametrize(
    ("path", "change", "reason"),
    [
        ("4-182395-A.wav", {}, FOLD_4),
        ("dog/182395.wav", {}, FOLD_4),
        ("x.wav", {"origin": "182395"}, FOLD_4),
        ("1-182395-A.wav", {"origin": "y", "split": "validation"}, FOLD_4),
        ("4-1823950-A.wav", {}, ""),
        ("take-182395.wav", {}, ""),
        ("x.wav", {"origin": "scratch"}, "of scratch, a package of the package-disjoint test"),
        ("x.wav", {"origin": "scratch", "corpus": "class-folders"}, ""),
        ("x.wav", {"origin": "0ad-data"}, ""),
        ("new/horse/scratch__0010.wav", {}, "a clip of the package-disjoint test"),
        ("new/mare/scratch__0010.wav", {}, ""),
    ],
)
def test_names(a_clip: AClip, path: str, change: dict[str, str], reason: str) -> None:
    clip = a_clip(path, **change)
    assert reserved().reason(clip) == reason
    assert leaks([clip]) == ({clip: reason} if reason else {})


def test_what_is_reserved_is_what_is_committed() -> None:
    known = reserved()
    assert len(known.recordings) == 59
    assert len(known.files) == 186
    assert sum(map(len, known.contents.values())) == 80


def test_files_of_the_demo_are_known_by_their_content(tmp_path: Path, a_clip: AClip) -> None:
    shutil.copy(FOLDER / "demo/4-182395-A.ogg", tmp_path / "bark.ogg")
    clip = a_clip(tmp_path / "bark.ogg")
    assert leaks([clip]) == {clip: "a file of the demo"}
    content = bytearray(clip.path.read_bytes())
    content[-1] ^= 1
    (tmp_path / "other.ogg").write_bytes(content)
    assert not leaks([a_clip(tmp_path / "other.ogg")])


def test_what_one_corpus_tests_no_other_trains_on(tmp_path: Path, a_clip: AClip) -> None:
    (tmp_path / "a.wav").touch()
    (tmp_path / "link.wav").symlink_to(tmp_path / "a.wav")
    test = a_clip(tmp_path / "a.wav", "test", corpus="one", origin="x")
    same = a_clip(tmp_path / "link.wav", corpus="two", origin="y")
    kin = a_clip(tmp_path / "b.wav", corpus="one", origin="x")
    namesake = a_clip(tmp_path / "c.wav", corpus="two", origin="x")
    assert leaks([kin, namesake, test, same]) == {
        kin: "cut from x, as is a clip of the test split",
        same: "in a test split, too",
    }
    assert not leaks([kin, namesake, same])


def test_a_training_with_test_items_is_refused(a_clip: AClip) -> None:
    files = sorted(path.name for path in (FOLDER / "demo").glob("*.ogg"))[:7]
    clips = [a_clip(name) for name in files]
    with pytest.raises(UsageError, match="7 of the clips to train on belong to a test") as caught:
        refuse_leaks([*clips, a_clip("fine.wav")])
    assert [name in str(caught.value) for name in files] == [True] * 5 + [False] * 2
    refuse_leaks([a_clip("fine.wav"), *[a_clip(x, "test", origin=x) for x in files]])


def test_test_items_can_be_held_back(a_clip: AClip) -> None:
    names = {"4-182395-A.wav": "train", "fine.wav": "train", "v.wav": "validation"}
    clips = [a_clip(name, split, origin=name) for name, split in names.items()]
    kept = held_back(clips)
    assert [clip.split for clip in kept] == ["test", "train", "validation"]
    assert kept[1:] == clips[1:]
    refuse_leaks(kept)
