"""What a training hears: clips of its licences that can be heard, none of a test."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.errors import UsageError
from sepcli.training.config import CorpusConfig, SeparatorConfig
from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.prepare import prepare
from sepcli.training.corpora.select import clips_of

ESC10 = Path(__file__).parents[2] / "data/esc10"

Barks = Callable[[Path], Path]


def heard(*corpora: tuple[str, Path], origins: Path | None = None, **change: object) -> list[Clip]:
    """The clips of a training on corpora, of which only some origins may be kept."""
    fields: dict[str, object] = {
        "kind": "separator",
        "clap": "clap",
        "steps": 1,
        "batch": 1,
        "seconds": 1,
        "lr": 1,
        **change,
    }
    listed = [CorpusConfig(kind=kind, root=root, origins=origins) for kind, root in corpora]
    return clips_of(SeparatorConfig(corpora=listed, **fields))  # type: ignore[arg-type]


def test_no_test_clip_is_heard() -> None:
    clips = heard(("esc10", ESC10))
    assert len(clips) == 8
    assert {clip.split for clip in clips} == {"train", "validation"}
    assert not [clip for clip in clips if clip.path.name.startswith("4-")]
    assert all(4.9 < (clip.duration or 0) < 5.1 for clip in clips)


@pytest.fixture
def mine(tmp_path: Path, barks: Barks) -> Path:
    """Class folders with two labels, to train and to validate on."""
    for name in ("dog/v1.wav", "dog/v5.wav", "cat/v2.wav"):
        barks(tmp_path / "mine" / name)
    return tmp_path / "mine"


def test_licences_select(mine: Path) -> None:
    both = (("esc10", ESC10), ("class-folders", mine))
    assert len(heard(*both, licences=["own"])) == 3
    assert len(heard(*both, licences="permissive")) == 11
    with pytest.raises(UsageError, match=r"licences: \['GPL'\] leaves none of 11 clips"):
        heard(*both, licences=["GPL"])


def test_unlike_sounds_are_needed(mine: Path) -> None:
    shutil.rmtree(mine / "cat")
    with pytest.raises(UsageError, match="1 kinds of sound"):
        heard(("class-folders", mine))
    shutil.copytree(mine / "dog", mine / "dog_bark")
    with pytest.raises(UsageError, match="1 kinds of sound"):
        heard(("class-folders", mine))
    shutil.copytree(mine / "dog", mine / "unheard-of")
    assert len(heard(("class-folders", mine))) == 6


def test_an_ontology_of_ones_own_says_what_is_alike(mine: Path) -> None:
    own = mine.parent / "own.yaml"
    own.write_text("dog: [pet, dog]\ncat: [pet, cat]\n")
    with pytest.raises(UsageError, match="1 kinds of sound"):
        heard(("class-folders", mine), ontology=own)


def test_something_to_validate_on_is_needed(mine: Path) -> None:
    (mine / "dog/v5.wav").unlink()
    with pytest.raises(UsageError, match="no clips to validate on"):
        heard(("class-folders", mine))


def test_empty_corpora_are_refused(mine: Path) -> None:
    (mine.parent / "empty").mkdir()
    with pytest.raises(UsageError, match=r"no clips in .*empty"):
        heard(("class-folders", mine), ("class-folders", mine.parent / "empty"))


def test_test_items_are_refused(mine: Path) -> None:
    shutil.copy(ESC10 / "4-183992-A.ogg", mine / "dog/new.ogg")
    with pytest.raises(UsageError, match=r"1 of the clips .*new\.ogg is a file of the demo"):
        heard(("class-folders", mine))


def test_all_that_cannot_be_heard_is_counted(mine: Path) -> None:
    for number in range(4):
        (mine / f"dog/broken-{number}.wav").write_text("no audio")
        soundfile.write(mine / f"dog/silent-{number}.wav", np.zeros(100), 8000)
    (mine / "cat/gone.wav").symlink_to(mine / "nowhere.wav")
    with pytest.raises(UsageError) as caught:
        heard(("class-folders", mine))
    message = str(caught.value)
    assert "9 of 12 clips cannot be used (4 broken, 1 missing, 4 silent)" in message
    shown = [name in message for name in ("gone", "broken-0", "broken-3", "silent-0")]
    assert shown == [True, True, True, False]
    assert "sepcli data prepare" in caught.value.remedy


def test_prepared_clips_only_have_to_be_there(mine: Path) -> None:
    manifest = mine.parent / "mine.jsonl"
    prepare("class-folders", mine, manifest)
    (mine / "dog/v1.wav").write_text("no audio any more")
    assert len(heard(("manifest", manifest))) == 3
    (mine / "dog/v1.wav").unlink()
    with pytest.raises(UsageError, match=r"1 of 3 clips cannot be used \(1 missing\)"):
        heard(("manifest", manifest))


def test_rows_without_duration_are_decoded(mine: Path) -> None:
    rows = [
        {"path": f"mine/{name}.wav", "split": split, "labels": [name[:3]], "licence": "CC0"}
        for name, split in (("dog/v1", "train"), ("cat/v2", "train"), ("dog/v5", "validation"))
    ]
    manifest = mine.parent / "mine.jsonl"
    manifest.write_text("\n".join(map(json.dumps, rows)))
    assert [clip.duration for clip in heard(("manifest", manifest))] == [pytest.approx(0.3)] * 3
    (mine / "dog/v1.wav").write_text("no audio")
    with pytest.raises(UsageError, match=r"1 of 3 clips cannot be used \(1 broken\)"):
        heard(("manifest", manifest))


def test_origins_select(tmp_path: Path) -> None:
    origins = tmp_path / "origins.txt"
    origins.write_text("# dogs\n100032\n 17367 \n144028\n183992\n#142005\n")
    clips = heard(("esc10", ESC10), origins=origins)
    assert [clip.origin for clip in clips] == ["100032", "17367", "144028"]
    origins.write_text("1")
    with pytest.raises(UsageError, match="names no origin of") as caught:
        heard(("esc10", ESC10), origins=origins)
    assert "100032" in caught.value.remedy
    with pytest.raises(UsageError, match=r"cannot read .*none\.txt"):
        heard(("esc10", ESC10), origins=tmp_path / "none.txt")
