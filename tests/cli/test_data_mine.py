"""`sepcli data mine`: the shipped model on real clips, codes, messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from sepcli.training.corpora.manifest import read_manifest

Sepcli = Callable[..., int]
Output = pytest.CaptureFixture[str]
CLIPS = Path(__file__).parents[1] / "data/esc10"
RATE = 44_100
LABELS = "dog,rain,helicopter,clock_tick,piano,speech,gunshot"


@pytest.fixture
def field() -> Path:
    """A helicopter, and a dog in the rain, each after a second of faint noise."""
    names = ("1-172649-A.ogg", "3-144028-A.ogg", "1-17367-A.ogg")
    helicopter, dog, rain = (clip(name) for name in names)
    pause = np.zeros(RATE)
    whole = np.concatenate([pause, helicopter, pause, dog + rain, pause])
    noise = 1e-4 * np.random.default_rng(1).standard_normal(len(whole))
    soundfile.write("field.wav", whole + noise, RATE)
    return Path("field.wav")


def clip(name: str) -> np.ndarray:
    """What is loud of a clip, mono at RATE."""
    wave, rate = soundfile.read(CLIPS / name, dtype="float64", always_2d=True)
    mono = soxr.resample(wave.mean(axis=1), rate, RATE)
    loud = np.flatnonzero(np.abs(mono) > 0.02 * np.abs(mono).max())
    part = mono[loud[0] : loud[-1]][: 3 * RATE]
    return 0.1 * part / part.std()


def test_a_single_sound_is_found_and_a_mixture_is_not(
    sepcli: Sepcli, field: Path, capsys: Output
) -> None:
    assert sepcli("data", "mine", field, "--labels", LABELS, "-o", "mined.jsonl") == 0
    clips = list(read_manifest(Path("mined.jsonl")))
    assert [clip.label for clip in clips] == ["helicopter"]
    assert clips[0].start == pytest.approx(0.96, abs=0.05)
    assert clips[0].licence == "unknown"
    assert not clips[0].ship
    score = json.loads(Path("mined.scores.jsonl").read_text())
    assert score["agreement"] >= 0.45
    assert score["share"] >= 0.9
    out = capsys.readouterr()
    assert out.err.startswith("field.wav: 1 of ")
    assert out.out.splitlines()[0].startswith("mined.jsonl: 1 of ")
    assert "labels: helicopter 1" in out.out


def test_thresholds_and_the_separator_can_be_chosen(
    sepcli: Sepcli, field: Path, capsys: Output
) -> None:
    words = ("data", "mine", field, "--labels", LABELS, "-o", "mined.jsonl", "--json")
    assert sepcli(*words, "--agreement", "1", "--separator", "none") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["kept"] == 0
    assert summary["missed"] == {"agreement": summary["segments"]}
    assert Path("mined.jsonl").read_text() == ""
    easy = ("--agreement", "-1", "--margin", "0", "--stability", "0", "--separator", "none")
    assert sepcli(*words, *easy, "--licence", "CC0") == 0
    assert json.loads(capsys.readouterr().out)["kept"] == summary["segments"] >= 2
    assert {clip.licence for clip in read_manifest(Path("mined.jsonl"))} == {"CC0"}
    scores = map(json.loads, Path("mined.scores.jsonl").read_text().splitlines())
    assert {row["share"] for row in scores} == {None}


def test_bad_recordings_are_told_and_counted(sepcli: Sepcli, field: Path, capsys: Output) -> None:
    Path("bad.wav").write_bytes(b"no audio at all")
    words = ("data", "mine", "bad.wav", field, "--labels", LABELS, "-o", "mined.jsonl")
    assert sepcli(*words, "--separator", "none") == 1
    out = capsys.readouterr()
    assert out.err.startswith("bad.wav: cannot read bad.wav")
    assert "(help: " in out.err
    assert "from 1 recordings; 1 failed" in out.out
    assert len(list(read_manifest(Path("mined.jsonl")))) >= 1


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--labels", ","), 2, "no labels"),
        (("--labels", "ambience_mixed"), 2, "may mean any sound"),
        (("--labels", "dog", "--max-seconds", "0.6"), 2, "segments of 0.5 to 0.6 s"),
        (("--labels", "dog", "--separator", "nobody"), 3, "nobody"),
        (("--labels", "dog", "--clap", "model:nobody"), 3, "nobody"),
        (("--labels", "dog", "--clap", "runs/none"), 2, "no finished CLAP"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: tuple[str, ...], code: int, message: str, sepcli: Sepcli, field: Path, capsys: Output
) -> None:
    assert sepcli("data", "mine", field, "-o", "mined.jsonl", *words) == code
    assert message in capsys.readouterr().err
    assert not Path("mined.jsonl").exists()
