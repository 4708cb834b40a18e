"""Every layout, as it lies on disk, gives the rows and splits that its publishers meant."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from stem_mp4 import write_stem_mp4

from sepcli.errors import UsageError
from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.readers import READERS, read_corpus

ESC10 = Path(__file__).parents[2] / "data/esc10"
META = ("filename", "fold", "target", "category", "esc10", "src_file", "take")


def write_csv(path: Path, *rows: Sequence[object], encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows(rows)


def table(clips: Iterable[Clip], root: Path) -> dict[str, tuple[str, ...]]:
    """File -> split, origin, labels."""
    return {
        clip.path.relative_to(root).as_posix(): (clip.split, clip.origin, *clip.labels)
        for clip in clips
    }


def esc50(root: Path) -> Path:
    write_csv(
        root / "meta/esc50.csv",
        META,
        ("1-40730-A.wav", 1, 1, "rooster", "True", 40730, "A"),
        ("2-3-A.wav", 2, 0, "crying_baby", "True", 3, "A"),
        ("3-1-A.wav", 3, 2, "door_wood_knock", "False", 1, "A"),
        ("3-v5-A.wav", 3, 2, "sneezing", "False", "v5", "A"),
        ("4-4-A.wav", 4, 2, "dog", "True", 4, "A"),
        ("5-5-A.wav", 5, 2, "dog", "True", 5, "A"),
    )
    return root


def test_esc10() -> None:
    clips = read_corpus("esc10", ESC10)
    assert table(clips, ESC10) == {
        "1-100032-A.ogg": ("train", "100032", "dog"),
        "1-17367-A.ogg": ("train", "17367", "rain"),
        "1-35687-A.ogg": ("train", "35687", "clock_tick"),
        "1-172649-A.ogg": ("train", "172649", "helicopter"),
        "4-183992-A.ogg": ("test", "183992", "dog"),
        "4-184575-A.ogg": ("test", "184575", "dog"),
        "3-144028-A.ogg": ("validation", "144028", "dog"),
        "3-142005-A.ogg": ("validation", "142005", "rain"),
        "3-143933-A.ogg": ("validation", "143933", "clock_tick"),
        "3-150979-A.ogg": ("validation", "150979", "helicopter"),
    }
    assert clips[0].credit == "rose_bark.wav by nfrae, freesound.org 100032"
    assert {(clip.licence, clip.ship, clip.corpus) for clip in clips} == {("CC0", True, "esc10")}


def test_esc50(tmp_path: Path) -> None:
    clips = read_corpus("esc50", esc50(tmp_path))
    assert table(clips, tmp_path) == {
        "audio/1-40730-A.wav": ("train", "40730", "rooster"),
        "audio/2-3-A.wav": ("train", "3", "baby_cry"),
        "audio/3-1-A.wav": ("train", "1", "door_wood_knock"),
        "audio/3-v5-A.wav": ("validation", "v5", "sneeze"),
        "audio/4-4-A.wav": ("test", "4", "dog"),
        "audio/5-5-A.wav": ("test", "5", "dog"),
    }
    assert [clip.licence for clip in clips] == [
        *("CC-Sampling+", "CC-BY", "CC-BY-NC", "CC-BY-NC", "CC-BY", "CC-BY")
    ]
    assert [clip.ship for clip in clips] == [False, True, False, False, True, True]


def test_esc10_of_the_release_of_esc50(tmp_path: Path) -> None:
    clips = read_corpus("esc10", esc50(tmp_path))
    assert [clip.origin for clip in clips] == ["40730", "3", "4", "5"]


@pytest.mark.parametrize("name", ["sounds", "debian-sounds"])
def test_sounds_of_packages(tmp_path: Path, name: str) -> None:
    write_csv(
        tmp_path / "manifest.csv",
        ("file", "class", "label", "package", "licence", "ship"),
        ("dog/a.ogg", "dog", "dog", "0ad-data", "CC-BY-SA-3.0", "yes"),
        ("bell/b.ogg", "bell", "bell", "widelands-data", "GPL-2+", "no"),
        ("bell/c.ogg", "bell", "bell", "hedgewars-data", "GPL-2", "no"),
    )
    clips = read_corpus(name, tmp_path)
    assert table(clips, tmp_path) == {
        "dog/a.ogg": ("train", "0ad-data", "dog"),
        "bell/b.ogg": ("test", "widelands-data", "bell"),
        "bell/c.ogg": ("validation", "hedgewars-data", "bell"),
    }
    assert [clip.ship for clip in clips] == [True, False, False]
    assert clips[0].licence == "CC-BY-SA-3.0"


def test_class_folders(tmp_path: Path, barks: Callable[..., Path]) -> None:
    names = (
        "dog/p166.wav",
        "dog/p31.wav",
        "dog/.v4.wav",
        "dog/notes.txt",
        "rain/v5.flac",
        "v6.wav",
    )
    for name in names:
        barks(tmp_path / name)
    assert table(read_corpus("class-folders", tmp_path), tmp_path) == {
        "dog/p166.wav": ("validation", "p166", "dog"),
        "dog/p31.wav": ("train", "p31", "dog"),
        "rain/v5.flac": ("validation", "v5", "rain"),
    }


def test_stems(tmp_path: Path, barks: Callable[..., Path]) -> None:
    for name in ("song0/guitar.wav", "song0/mixture.wav", "song8/band.wav", "song8/guitar.wav"):
        barks(tmp_path / name)
    assert table(read_corpus("stems", tmp_path), tmp_path) == {
        "song0/guitar.wav": ("train", "song0", "guitar"),
        "song8/band.wav": ("validation", "song8", "band"),
        "song8/guitar.wav": ("validation", "song8", "guitar"),
    }


def fsd50k(root: Path) -> Path:
    truth = root / "FSD50K.ground_truth"
    guitar = "Electric_guitar,Guitar,Music"
    write_csv(
        truth / "dev.csv",
        ("fname", "labels", "mids", "split"),
        ("64760", guitar, "x", "train"),
        ("16399", f"Speech,{guitar}", "x", "val"),
        ("300", "Guitar,Music", "x", "train"),
        ("301", "Music", "x", "train"),
        ("302", "Speech", "x", "train"),
    )
    write_csv(truth / "eval.csv", ("fname", "labels", "mids"), ("99", "Guitar,Music", "x"))
    address = "http://creativecommons.org/licenses/{}/3.0/"
    facts = {
        "64760": {"title": "Riff", "uploader": "Ann", "license": address.format("by")},
        "16399": {"title": "Talk", "uploader": "Bob", "license": address.format("by-nc")},
    }
    (root / "FSD50K.metadata").mkdir()
    (root / "FSD50K.metadata/dev_clips_info_FSD50K.json").write_text(json.dumps(facts))
    return root


def test_fsd50k(tmp_path: Path) -> None:
    clips = read_corpus("fsd50k", fsd50k(tmp_path))
    assert table(clips, tmp_path) == {
        "FSD50K.dev_audio/64760.wav": ("train", "64760", "Electric_guitar"),
        "FSD50K.dev_audio/16399.wav": ("validation", "16399", "Speech", "Electric_guitar"),
        "FSD50K.dev_audio/300.wav": ("train", "300", "Guitar"),
        "FSD50K.dev_audio/301.wav": ("train", "301", "Music"),
        "FSD50K.dev_audio/302.wav": ("train", "302", "Speech"),
        "FSD50K.eval_audio/99.wav": ("test", "99", "Guitar"),
    }
    assert [clip.ship for clip in clips] == [True, *[False] * 5]
    assert clips[0].credit == "Riff by Ann, freesound.org 64760"
    assert clips[2].credit == "freesound.org 300"


def test_labels_that_always_meet_count_once(tmp_path: Path) -> None:
    rows = (("1", "Wind,Rain", "train"), ("2", "Rain,Wind", "val"))
    path = tmp_path / "FSD50K.ground_truth/dev.csv"
    write_csv(path, ("fname", "labels", "split"), *rows)
    assert [clip.labels for clip in read_corpus("fsd50k", tmp_path)] == [("Wind",), ("Rain",)]


def test_broken_lists_of_fsd50k(tmp_path: Path) -> None:
    fsd50k(tmp_path)
    (tmp_path / "FSD50K.metadata/dev_clips_info_FSD50K.json").write_text("{")
    with pytest.raises(UsageError, match=r"cannot read .*dev_clips_info"):
        read_corpus("fsd50k", tmp_path)
    path = tmp_path / "FSD50K.ground_truth/dev.csv"
    write_csv(path, ("fname", "labels", "split"), ("1", "Rain", "train"), ("2", "Rain", "test"))
    (tmp_path / "FSD50K.metadata/dev_clips_info_FSD50K.json").unlink()
    with pytest.raises(UsageError, match=r"dev\.csv, row 3: the split is test, not train or val"):
        read_corpus("fsd50k", tmp_path)


def test_audiocaps_by_its_own_lists(tmp_path: Path) -> None:
    columns = ("audiocap_id", "youtube_id", "start_time", "caption")
    lists = tmp_path / "annotations"
    write_csv(lists / "train.csv", columns, (1, "a_b", 30, "A dog barks while a car passes"))
    rows = ((2, "cc", 0, "Rain falls"), (3, "cc", 0, "It rains"), (4, "cc", 20, "Thunder"))
    write_csv(lists / "test.csv", columns, *rows)
    clips = read_corpus("audiocaps", tmp_path)
    assert table(clips, tmp_path) == {
        "audio/a_b_30.wav": ("train", "a_b"),
        "audio/cc_0.wav": ("test", "cc"),
        "audio/cc_20.wav": ("test", "cc"),
    }
    assert clips[0].caption == "A dog barks while a car passes"
    assert clips[0].phrases == ("A dog barks", "A car passes")
    assert [clip.caption for clip in clips[1:]] == ["Rain falls", "Thunder"]
    assert not any(clip.ship for clip in clips)


def test_audiocaps_by_parsed_captions(tmp_path: Path) -> None:
    lists = tmp_path / "annotations"
    names = ("11", "12", "13")
    parsed = {
        name: {"file_id": f"v{name}_5", "caption": "A dog barks", "sources": ["Dog", name]}
        for name in names
    }
    write_csv(lists / "train_ids.csv", ("11",))
    (lists / "parsed_all_caps.json").write_text(json.dumps(parsed))
    splits = [clip.split for clip in read_corpus("audiocaps", tmp_path)]
    assert splits == ["train", "validation", "validation"]
    write_csv(lists / "test_sep2_ids.csv", ("12", "12"))
    clips = read_corpus("audiocaps", tmp_path)
    assert [clip.split for clip in clips] == ["train", "test", "validation"]
    assert clips[0].phrases == ("Dog", "11")
    for row in ({"file_id": "v", "caption": ""}, {"file_id": "v", "caption": "", "sources": "Dog"}):
        (lists / "parsed_all_caps.json").write_text(json.dumps({"11": row}))
        with pytest.raises(UsageError, match=r"cannot use .*parsed_all_caps"):
            read_corpus("audiocaps", tmp_path)


def test_clips_need_words(tmp_path: Path) -> None:
    columns = ("audiocap_id", "youtube_id", "start_time", "caption")
    write_csv(tmp_path / "annotations/train.csv", columns, (1, "a", 30, " ."))
    with pytest.raises(UsageError, match=r"a_30\.wav has no label, and no caption"):
        read_corpus("audiocaps", tmp_path)


def test_clotho(tmp_path: Path) -> None:
    columns = ("file_name", *(f"caption_{number}" for number in range(1, 6)))
    captions = ("A dog barks.", "b", "c", "d", "e")
    files = {"development": "a b.wav", "validation": "v.wav", "evaluation": "t.wav"}
    for name, file in files.items():
        write_csv(tmp_path / f"clotho_captions_{name}.csv", columns, (file, *captions))
    write_csv(
        tmp_path / "clotho_metadata_development.csv",
        ("file_name", "keywords", "sound_id", "license"),
        ("a b.wav", "Köter", "17", "http://creativecommons.org/publicdomain/zero/1.0/"),
        encoding="latin-1",
    )
    clips = read_corpus("clotho", tmp_path)
    assert table(clips, tmp_path) == {
        "development/a b.wav": ("train", "17"),
        "validation/v.wav": ("validation", "v.wav"),
        "evaluation/t.wav": ("test", "t.wav"),
    }
    assert clips[0].caption == "A dog barks."
    assert clips[0].licence.endswith("zero/1.0/")
    assert not clips[0].ship
    (tmp_path / "clotho_captions_evaluation.csv").unlink()
    assert len(read_corpus("clotho", tmp_path)) == 2


def test_music(tmp_path: Path) -> None:
    lists = tmp_path / "annotations"
    rows = [(f"/acoustic_guitar/v{number}.mp3", f"/frames/v{number}", 60) for number in range(6)]
    write_csv(lists / "train.csv", *rows)
    write_csv(lists / "test.csv", ("/tuba/x.mp3", "/frames/x", 60))
    found = table(read_corpus("music", tmp_path), tmp_path)
    assert found["audio/acoustic_guitar/v1.mp3"] == ("train", "v1", "acoustic guitar")
    assert found["audio/acoustic_guitar/v5.mp3"] == ("validation", "v5", "acoustic guitar")
    assert found["audio/tuba/x.mp3"] == ("test", "x", "tuba")
    write_csv(tmp_path / "val.csv", ("/tuba/y.mp3", "/frames/y", 60))
    found = table(read_corpus("music", tmp_path), tmp_path)
    assert found["audio/acoustic_guitar/v5.mp3"][0] == "train"
    assert found["audio/tuba/y.mp3"][0] == "validation"
    write_csv(lists / "test.csv", ("x.mp3", "1"))
    with pytest.raises(UsageError, match=r"not /<instrument>/<clip>, frames.*: x\.mp3,1"):
        read_corpus("music", tmp_path)


def test_vggsound_by_its_own_list(tmp_path: Path) -> None:
    rows = (("v1", 30, "dog barking", "train"), ("v5", 4, "playing cello, bowed", "train"))
    write_csv(tmp_path / "vggsound.csv", *rows, ("-x", 150, "rain", "test"))
    assert table(read_corpus("vggsound", tmp_path), tmp_path) == {
        "audio/v1_000030.wav": ("train", "v1", "dog barking"),
        "audio/v5_000004.wav": ("validation", "v5", "playing cello, bowed"),
        "audio/-x_000150.wav": ("test", "-x", "rain"),
    }
    write_csv(tmp_path / "vggsound.csv", ("v1", "half past", "dog barking", "train"))
    with pytest.raises(UsageError, match="not <video>, <second>, <label>"):
        read_corpus("vggsound", tmp_path)


def test_vggsound_by_lists_of_clips(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/train.csv").write_text("data/audio/v1_30.wav,playing cello, bowed\n")
    assert table(read_corpus("vggsound", tmp_path), tmp_path) == {
        "audio/v1_30.wav": ("train", "v1", "playing cello, bowed")
    }
    (tmp_path / "annotations/train.csv").write_text("v1_30.wav\n")
    with pytest.raises(UsageError, match="not <clip>, <label>"):
        read_corpus("vggsound", tmp_path)


def test_musdb18(tmp_path: Path) -> None:
    for track in ("test/Band - Song", "train/Band - First", "train/Leaf - Summerghost"):
        write_stem_mp4(tmp_path / f"{track}.stem.mp4", 0.1)
    clips = read_corpus("musdb18", tmp_path)
    assert [(clip.stream, clip.label) for clip in clips[:4]] == [
        *((1, "drums"), (2, "bass"), (3, "other instruments"), (4, "vocals"))
    ]
    splits = {clip.origin: clip.split for clip in clips}
    assert splits == {
        "Band - First": "train",
        "Leaf - Summerghost": "validation",
        "Band - Song": "test",
    }
    assert len(clips) == 12


def test_musdb18_hq(tmp_path: Path) -> None:
    for track in ("test/A", "train/B", "train/ANiMAL - Rockshow"):
        (tmp_path / track).mkdir(parents=True)
    clips = read_corpus("musdb18-hq", tmp_path)
    assert table(clips, tmp_path)["train/ANiMAL - Rockshow/vocals.wav"] == (
        *("validation", "ANiMAL - Rockshow", "vocals"),
    )
    assert {clip.path.stem for clip in clips} == {"drums", "bass", "other", "vocals"}
    assert [clip.split for clip in clips[::4]] == ["validation", "train", "test"]


def test_corpora_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no corpus fsd50 \(did you mean fsd50k\?\)") as caught:
        read_corpus("fsd50", tmp_path)
    assert all(name in caught.value.remedy for name in READERS)
    with pytest.raises(UsageError, match="no such corpus"):
        read_corpus("class-folders", tmp_path / "nowhere")
    with pytest.raises(UsageError, match="no clips in"):
        read_corpus("class-folders", tmp_path)
    for name in ("esc10", "sounds", "fsd50k", "audiocaps", "clotho", "vggsound", "music"):
        with pytest.raises(UsageError, match="cannot read"):
            read_corpus(name, tmp_path)
