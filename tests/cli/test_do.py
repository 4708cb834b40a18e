"""`sepcli do`: an instruction becomes gains of stems and of the rest, and one file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from sepcli.evaluation.metrics import si_sdr

Run = Callable[..., int]
Make = Callable[..., Path]
Capture = pytest.CaptureFixture[str]

AUDIO = Path(__file__).parents[2] / "examples/audio"
QUARTER = '"a gain of 0.25"'  # what the linear model answers with: a quarter of the recording
HALF = '"a gain of 0.5"'


def wave(path: str | Path) -> np.ndarray[Any, Any]:
    return soundfile.read(path, always_2d=True)[0]


def db(gain: float) -> float:
    return float(10 ** (gain / 20))


@pytest.mark.parametrize(
    ("instruction", "factor"),
    [
        (f"remove {QUARTER}", 0.75),
        (f"keep {QUARTER}", 0.25),
        (f"remove {QUARTER} and {HALF}", 0.25),
        (f"keep {QUARTER} and {HALF}", 0.75),
        (f"turn {QUARTER} up by 6 dB", 0.25 * db(6) + 0.75),
        (f"turn {QUARTER} down by 6 dB and remove {HALF}", 0.25 * db(-6) + 0.25),
        (f"keep {HALF} and turn everything else down by 20 dB", 0.5 + 0.5 * 0.1),
        (f"everything except {HALF}", 0.5),
        (f"remove everything except {HALF}", 0.5),
        (f"make {HALF} half as loud", 0.5 * db(-10) + 0.5),
    ],
)
def test_the_mix(
    linear: Make, recording: Make, sepcli: Run, instruction: str, factor: float
) -> None:
    mix = recording(peak=0.4)
    assert sepcli("do", instruction, mix, "-m", linear(), "-o", "out.wav") == 0
    np.testing.assert_allclose(wave("out.wav"), factor * wave(mix), atol=2e-6)


def test_at_0_db_the_mix_is_the_recording(linear: Make, recording: Make, sepcli: Run) -> None:
    mix = recording(seconds=7)
    instruction = f"set {QUARTER} to 0 dB and {HALF} to 0 dB"
    assert sepcli("do", instruction, mix, "-m", linear(), "-o", "out.wav") == 0
    error = np.abs(wave("out.wav") - wave(mix)).max()
    assert error <= 4 * np.finfo(np.float32).eps


def test_fixed_stems_are_called_by_their_names(
    linear: Make, recording: Make, sepcli: Run, capsys: Capture
) -> None:
    model, mix = linear(stems=["speech", "music"]), recording(peak=0.4)  # a quarter, and a half
    assert sepcli("do", "remove the music", mix, "-m", model, "-o", "a.wav") == 0
    np.testing.assert_allclose(wave("a.wav"), 0.5 * wave(mix), atol=1e-6)
    assert sepcli("do", "keep the music and the speech", mix, "-m", model, "-o", "b.wav") == 0
    np.testing.assert_allclose(wave("b.wav"), 0.75 * wave(mix), atol=1e-6)
    assert sepcli("do", "remove the musik", mix, "-m", model) == 2
    assert "did you mean music?" in capsys.readouterr().err


def test_the_reading_comes_first(
    linear: Make, recording: Make, sepcli: Run, capsys: Capture
) -> None:
    words = ("do", f"remove {HALF}", recording(), "-m", linear(), "--dry-run")
    assert sepcli(*words) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["  a gain of 0.5: removed", "  everything else: kept as it is"]
    assert lines[-1] == "  separated/mix.remove-a-gain-of-0-5.wav"
    assert not Path("separated").exists()
    assert sepcli(*words, "--progress", "json") == 0
    told = json.loads(capsys.readouterr().err.splitlines()[0])
    assert told == {"event": "Reading", "gains_db": {"a gain of 0.5": None}, "rest_db": 0.0}
    assert sepcli(*words, "--progress", "none") == 0
    assert capsys.readouterr().err == ""


def test_many_recordings_go_to_a_folder(
    linear: Make, recording: Make, sepcli: Run, capsys: Capture
) -> None:
    recording("in/a.wav")
    recording("in/b.wav")
    words = ("do", f"remove {HALF}", "in", "-m", linear())
    assert sepcli(*words, "-o", "one.wav") == 2
    assert "name a folder" in capsys.readouterr().err
    assert sepcli(*words, "-o", "mixes", "--report", "report.json") == 0
    assert len(list(Path("mixes").iterdir())) == 2
    (output,) = json.loads(Path("report.json").read_text())["files"][0]["outputs"]
    assert output["kind"] == "mix"
    assert output["level_db"] == pytest.approx(20 * np.log10(0.5), abs=0.01)
    assert sepcli(*words, "-o", "mixes", "--skip-existing") == 0
    assert "done before" in capsys.readouterr().err


def test_other_gains_are_other_work(linear: Make, recording: Make, sepcli: Run) -> None:
    words = (recording(), "-m", linear(), "-o", "out.wav", "--skip-existing")
    assert sepcli("do", f"remove {HALF}", *words) == 0
    assert sepcli("do", f"turn {HALF} up by 1 dB", *words) == 0
    factor = 0.5 * db(1) + 0.5
    np.testing.assert_allclose(wave("out.wav"), factor * wave("mix.wav"), atol=2e-6)


def test_a_file_in_another_format(linear: Make, recording: Make, sepcli: Run) -> None:
    mix = recording(subtype="PCM_16")
    assert sepcli("do", f"remove {HALF}", mix, "-m", linear(), "-o", "out{1}.flac") == 0
    assert soundfile.info("out{1}.flac").format == "FLAC"
    np.testing.assert_allclose(wave("out{1}.flac"), 0.5 * wave(mix), atol=2**-15)


def test_what_is_refused(linear: Make, recording: Make, sepcli: Run, capsys: Capture) -> None:
    model, mix = linear(), recording()
    for words, said in [
        (("remove the dog and add reverb", mix), "'add'"),
        (("", mix), "names no sound"),
        ((f"remove {HALF}", mix, "-o", "out.xyz"), "cannot write xyz files"),
        ((f"remove {HALF}", mix, "-o", mix), "overwrite its input"),
        ((f"remove {HALF}", mix, "--report", "."), "is a folder"),
    ]:
        assert sepcli("do", *words, "-m", model) == 2
        err = capsys.readouterr().err
        assert said in err
        assert "help:" in err
    assert not linear.networks  # type: ignore[attr-defined]  # nothing was loaded


def test_the_shipped_model_removes_the_rain(sepcli: Run) -> None:
    mix, dog = AUDIO / "dog_and_rain.flac", AUDIO / "truth/dog_and_rain.dog-barking.flac"
    assert sepcli("do", "keep the dog barking, remove the rain", mix, "-o", "dog.flac") == 0
    assert si_sdr.improvement(wave(dog), wave("dog.flac"), wave(mix)) > 5
