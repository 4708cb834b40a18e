"""`sepcli detect`, and `sepcli separate --auto`, which takes out what is detected."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.separation import auto

Run = Callable[..., int]
Make = Callable[..., Path]
Capture = pytest.CaptureFixture[str]

AUDIO = Path(__file__).parents[2] / "examples/audio"

# The linear encoder reads "a gain of G" as the direction (G, 1, 1) and hears the peak of a window.
NAMES = ("a gain of 0.5", "a gain of -2.5")


def detect(sepcli: Run, capsys: Capture, *words: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = sepcli("detect", *words)
    return code, *capsys.readouterr()


def test_a_table(linear: Make, recording: Make, sepcli: Run, capsys: Capture) -> None:
    words = ("--labels", ",".join(NAMES), "--threshold", 0.95, "--model", linear())
    code, out, _ = detect(sepcli, capsys, recording(seconds=5), *words)
    assert code == 0
    assert out.splitlines() == [
        "mix.wav",
        "  1.00  a gain of 0.5             0:00.0-0:05.0",
    ]


def test_json_lines_for_several_files(
    linear: Make, recording: Make, sepcli: Run, capsys: Capture
) -> None:
    recording("in/a.wav", peak=0.5)
    recording("in/b.wav", peak=0.001 / 2)
    names = Path("names.txt")
    names.write_text("\n".join(NAMES))
    words = ("--label-list", names, "--threshold", 0.95, "--json", "--model", linear())
    code, out, _ = detect(sepcli, capsys, "in", *words)
    loud, quiet = map(json.loads, out.splitlines())
    assert code == 0
    assert loud["path"] == "in/a.wav"
    (sound,) = loud["sounds"]
    assert sound["label"] == NAMES[0]
    assert sound["score"] == pytest.approx(1, abs=1e-4)
    assert (sound["spans"], sound["also"]) == ([[0.0, 5.0]], [])
    # 66 dB below full scale is silence
    assert quiet == {"path": "in/b.wav", "sounds": [], "nearest": []}


def test_the_nearest_where_none_is_sure(
    linear: Make, recording: Make, sepcli: Run, capsys: Capture
) -> None:
    words = ("--labels", ",".join(NAMES), "--threshold", 1, "--model", linear())
    code, out, _ = detect(sepcli, capsys, recording(peak=0.3), *words)
    _, unsure, near = out.splitlines()
    assert (code, "no sound was recognised" in unsure) == (0, True)
    assert near.startswith(f"  nearest: {NAMES[0]} 0.9")
    _, out, _ = detect(sepcli, capsys, "mix.wav", *words, "--json")
    told = json.loads(out)
    assert (told["sounds"], [n["label"] for n in told["nearest"]]) == ([], list(NAMES))


def test_the_surest_only(linear: Make, recording: Make, sepcli: Run, capsys: Capture) -> None:
    words = ("--labels", ",".join(NAMES), "--threshold", -1, "--model", linear())
    _, both, _ = detect(sepcli, capsys, recording(), *words)
    _, first, _ = detect(sepcli, capsys, "mix.wav", *words, "--top", 1)
    assert first.splitlines() == both.splitlines()[:2]
    assert len(both.splitlines()) == 3


def test_a_part_of_a_recording(linear: Make, recording: Make, sepcli: Run, capsys: Capture) -> None:
    recording()
    Path("parts.csv").write_text("path,start,end\nmix.wav,1,4\n")
    words = ("--labels", NAMES[0], "--json", "--model", linear())
    _, out, _ = detect(sepcli, capsys, "parts.csv", *words)
    assert json.loads(out)["sounds"][0]["spans"] == [[1.0, 4.0]]


def test_what_goes_wrong(linear: Make, recording: Make, sepcli: Run, capsys: Capture) -> None:
    model = linear()
    Path("bad.wav").write_bytes(b"no audio")
    code, out, err = detect(
        sepcli, capsys, "bad.wav", recording(), "--labels", NAMES[0], "--model", model
    )
    assert code == 1
    assert "mix.wav" in out  # the other one is listened to all the same
    assert "error:" in err
    assert "help:" in err
    stems = linear(stems=["a", "b"], name="fixed")
    for words, expected, said in [
        (("mix.wav", "--labels", " , "), 2, "no labels"),
        (("mix.wav", "--label-list", "none.txt"), 2, "cannot read"),
        (("empty*",), 2, "nothing matches"),
        (("mix.wav", "--model", stems), 2, "answers no queries"),
        (("mix.wav", "--model", "nobody"), 3, "no model named"),
    ]:
        code, _, err = detect(sepcli, capsys, *words)
        assert code == expected, words
        assert said in err


@pytest.fixture
def listening_for_gains(monkeypatch: pytest.MonkeyPatch) -> None:
    """AudioSet's names are none that the linear encoder can read."""
    monkeypatch.setattr(auto, "audioset_names", lambda: NAMES)


@pytest.mark.usefixtures("listening_for_gains")
def test_auto_takes_out_what_is_found(
    linear: Make, recording: Make, sepcli: Run, capsys: Capture
) -> None:
    mix, report = recording(peak=0.5), Path("report.json")
    assert sepcli("separate", mix, "--auto", "-m", linear(), "--report", report) == 0
    stems = sorted(Path("separated").iterdir())
    assert [stem.name for stem in stems] == ["mix.a-gain-of-0-5.wav"]
    np.testing.assert_allclose(soundfile.read(stems[0])[0], 0.5 * soundfile.read(mix)[0], atol=1e-6)
    assert "taking out a gain of 0.5 (1.00)" in capsys.readouterr().err
    assert json.loads(report.read_text())["files"][0]["detected"][0]["label"] == NAMES[0]


@pytest.mark.usefixtures("listening_for_gains")
def test_auto_takes_no_more_than_the_limit(
    linear: Make, recording: Make, sepcli: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auto, "THRESHOLD", -1.0)
    words = ("separate", recording(), "--auto", "-m", linear())
    assert sepcli(*words, "--auto-limit", 1) == 0
    assert len(list(Path("separated").iterdir())) == 1
    assert sepcli(*words, "--overwrite") == 0
    assert len(list(Path("separated").iterdir())) == 2


@pytest.mark.usefixtures("listening_for_gains")
def test_auto_writes_nothing_where_nothing_is_found(
    linear: Make, recording: Make, sepcli: Run, capsys: Capture
) -> None:
    recording("in/quiet.wav", peak=0.0005)
    recording("in/loud.wav")
    (Path("in") / "bad.wav").write_bytes(b"no audio")
    report = Path("report.json")
    assert sepcli("separate", "in", "--auto", "-m", linear(), "--report", report) == 1
    assert [stem.name for stem in Path("separated").iterdir()] == ["loud.a-gain-of-0-5.wav"]
    err = capsys.readouterr().err
    assert "in/quiet.wav: no sound was recognised" in err
    assert "1 done, 1 skipped, 1 failed" in err
    told = json.loads(report.read_text())
    assert {Path(f["path"]).name: f["status"] for f in told["files"]} == {
        "quiet.wav": "nothing found",
        "loud.wav": "done",
        "bad.wav": "failed",
    }


@pytest.mark.usefixtures("listening_for_gains")
def test_auto_alone(linear: Make, recording: Make, sepcli: Run, capsys: Capture) -> None:
    stems = linear(stems=["a", "b"], name="fixed")
    for words in (("-q", "dog", "-m", linear()), ("-m", stems)):
        assert sepcli("separate", recording(), "--auto", *words) == 2
        assert "--auto does not go with" in capsys.readouterr().err
    assert sepcli("separate", "mix.wav", "--auto", "--dry-run", "-m", linear()) == 0
    assert not Path("separated").exists()


def test_the_shipped_model_names_a_rooster(sepcli: Run, capsys: Capture) -> None:
    shutil.copy(AUDIO / "rooster_and_helicopter.flac", "mix.flac")
    code, out, _ = detect(sepcli, capsys, "mix.flac", "--threshold", 0.4, "--top", 1)
    assert code == 0
    assert "Chicken, rooster" in out


def test_the_shipped_model_takes_out_the_dog_that_it_hears(sepcli: Run, capsys: Capture) -> None:
    truth = AUDIO / "truth/dog_and_rain.dog-barking.flac"
    wave, rate = soundfile.read(truth)
    soundfile.write("walk.flac", np.concatenate([np.zeros_like(wave), wave]), rate)
    assert sepcli("separate", "walk.flac", "--auto", "--auto-limit", 1) == 0
    assert "taking out Dog" in capsys.readouterr().err
    stem = soundfile.read("separated/walk.dog.flac")[0]
    assert np.linalg.norm(stem[len(wave) :] - wave) < 0.5 * np.linalg.norm(wave)
    code, out, _ = detect(sepcli, capsys, "walk.flac", "--json")
    (dog, *_) = json.loads(out)["sounds"]
    assert (code, dog["label"], dog["spans"]) == (0, "Dog", [[4.0, 10.0]])


def test_silence(sepcli: Run, capsys: Capture) -> None:
    soundfile.write("silence.wav", np.zeros((44_100, 2)), 44_100)
    code, out, err = detect(sepcli, capsys, "silence.wav")
    assert (code, out.splitlines()[0], err) == (0, "silence.wav", "")
    assert "no sound was recognised" in out


@pytest.mark.usefixtures("listening_for_gains")
def test_what_a_manifest_asks_for_is_not_looked_for(
    linear: Make, recording: Make, sepcli: Run, capsys: Capture
) -> None:
    recording("loud.wav", peak=0.5)
    recording("asked.wav", peak=0.5)
    Path("both.csv").write_text("path,query\nloud.wav,\nasked.wav,a gain of 0.25\n")
    assert sepcli("separate", "both.csv", "--auto", "-m", linear()) == 0
    assert sorted(stem.name for stem in Path("separated").iterdir()) == [
        "asked.a-gain-of-0-25.wav",
        "loud.a-gain-of-0-5.wav",
    ]
    assert capsys.readouterr().err.count("taking out") == 1
