"""The shipped model on real recordings, and what ships with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import sepcli
from sepcli.evaluation.metrics import si_sdr
from sepcli.hashing import sha256_of
from sepcli.registry.load import load
from sepcli.registry.store import Registry

ROOT = Path(__file__).parents[2]
AUDIO = ROOT / "examples/audio"
MIX = AUDIO / "dog_and_rain.flac"
DOG = AUDIO / "truth/dog_and_rain.dog-barking.flac"
LARGEST = 25e6  # bytes of all shipped files

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")


def wave(path: str | Path) -> np.ndarray:
    return soundfile.read(path, always_2d=True)[0]


def improvement(estimate: str | Path) -> float:
    return si_sdr.improvement(wave(DOG), wave(estimate), wave(MIX))


def test_the_dog_is_heard_without_the_rain() -> None:
    report = sepcli.separate(MIX, ["dog barking", "rain"], residual=True, progress=False)
    dog, rain, rest = (o["output"] for o in report.files[str(MIX)].outputs)
    assert improvement(dog) > 5
    truth = AUDIO / "truth/dog_and_rain.rain.flac"
    assert si_sdr.improvement(wave(truth), wave(rain), wave(MIX)) > 2
    np.testing.assert_array_equal(wave(dog) + wave(rain) + wave(rest), wave(MIX))


def test_the_image_stays_where_it_was() -> None:
    report = sepcli.separate(MIX, "dog barking", progress=False)
    stem = wave(report.files[str(MIX)].outputs[0]["output"])
    left, right = np.square(stem).sum(axis=0)
    assert 10 * np.log10(left / right) == pytest.approx(6, abs=1.5)


def test_other_words_for_the_same() -> None:
    report = sepcli.separate(MIX, "a hound woofing", progress=False)
    assert improvement(report.files[str(MIX)].outputs[0]["output"]) > 4


def test_removing_is_the_complement() -> None:
    report = sepcli.separate(MIX, "rain", remove=True, progress=False)
    assert improvement(report.files[str(MIX)].outputs[0]["output"]) > 2


def test_asking_by_example() -> None:
    query = sepcli.Query("like", None, (ROOT / "tests/data/esc10/3-144028-A.ogg",))
    report = sepcli.separate(MIX, query, progress=False)
    assert improvement(report.files[str(MIX)].outputs[0]["output"]) > 3


def test_batch_size_and_window_position_hardly_matter() -> None:
    long = np.tile(wave(MIX), (6, 1)).astype(np.float32)
    soundfile.write("long.wav", long, 44100, "FLOAT")
    stems = []
    for batch in (1, 3):
        report = sepcli.separate(
            "long.wav", "dog barking", batch_size=batch, output=str(batch), progress=False
        )
        stems.append(wave(report.files["long.wav"].outputs[0]["output"]))
    assert np.abs(stems[0] - stems[1]).max() < 1e-5


def test_what_ships_is_what_the_registry_says() -> None:
    model = Registry().find(None)
    total = 0
    for role, file in model.entry.files.items():
        path = model.path(role)
        assert (path.stat().st_size, sha256_of(path)) == (file.size, file.sha256)
        total += path.stat().st_size
    assert total <= LARGEST
    parameters = sum(p.numel() for p in load(model).network.parameters())  # type: ignore[attr-defined]
    assert parameters <= 8e6
    card = (ROOT / "sepcli/shipped/CARD.md").read_text()
    assert f"{parameters / 1e6:.1f} M" in card


def test_torch_and_torchaudio_belong_together() -> None:
    import torchaudio

    tone = torch.sin(torch.arange(16000) / 10)
    assert torchaudio.functional.resample(tone, 16000, 8000).shape == (8000,)
    assert torch.__version__.split(".")[:2] == torchaudio.__version__.split(".")[:2]


def test_the_wheel_is_whole(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {f"sepcli/shipped/{path.name}" for path in (ROOT / "sepcli/shipped").iterdir()}
    assert shipped | {"sepcli/weights.yaml", "sepcli/training/ontology.yaml"} <= names
    assert not [name for name in names if name.startswith(("tests/", "examples/"))]


def run(command: list[str], **options: object) -> subprocess.CompletedProcess[bytes]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    return subprocess.run(command, env=environment, capture_output=True, **options)  # type: ignore[call-overload, no-any-return]


def test_the_demo_runs() -> None:
    done = run([sys.executable, str(ROOT / "examples/demo.py")])
    assert done.returncode == 0, done.stderr
    assert b"dog barking: SI-SDRi" in done.stdout


def test_the_batch_example_goes_on_where_it_was() -> None:
    script = ["bash", str(ROOT / "examples/batch.sh"), str(AUDIO), "out"]
    done = run(script)
    assert done.returncode == 0, done.stderr
    assert b"all done" in done.stdout
    assert len(list(Path("out").glob("*.flac"))) == 6
    again = run(script)
    assert again.returncode == 0
    assert b"0 done, 2 skipped, 0 failed" in again.stderr


@needs_ffmpeg
def test_the_pipe_example() -> None:
    done = run(["bash", str(ROOT / "examples/pipe.sh"), str(MIX), "dog.wav"])
    assert done.returncode == 0, done.stderr
    info = soundfile.info("dog.wav")
    assert (info.samplerate, info.channels, info.frames) == (48000, 2, 240000)


@needs_ffmpeg
def test_a_video() -> None:
    picture = ["-f", "lavfi", "-i", "color=black:s=64x64:d=5"]
    command = ["ffmpeg", "-v", "error", "-i", str(MIX), *picture, "-c:a", "aac", "film.mp4"]
    subprocess.run(command, check=True)
    report = sepcli.separate("film.mp4", "dog barking", progress=False)
    stem = report.files["film.mp4"].outputs[0]["output"]
    assert (soundfile.info(stem).format, soundfile.info(stem).subtype) == ("WAV", "FLOAT")
    length = len(wave(DOG))
    assert si_sdr.si_sdr(wave(DOG), wave(stem)[:length]) > 0


def test_killed_in_the_middle_and_run_again(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (44100 * 60, 2))
    for index in range(3):
        soundfile.write(f"{index}.wav", noise * (index + 1) / 3, 44100)
    command = [sys.executable, "-m", "sepcli", "separate", *(f"{i}.wav" for i in range(3))]
    command += ["-q", "dog barking", "-q", "rain", "--skip-existing", "--progress", "plain"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    first = Path("separated/0.dog-barking.wav")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list(Path("separated").glob(".*-1.*")):
        time.sleep(0.02)
    process.kill()
    process.wait()
    finished = first.read_bytes()
    whole = {path.name for path in Path("separated").glob("[0-9]*")}
    assert not any(name.startswith("1.") for name in whole)
    done = run(command)
    assert done.returncode == 0, done.stderr
    assert b"2 done, 1 skipped, 0 failed" in done.stderr
    assert first.read_bytes() == finished
    assert len(list(Path("separated").iterdir())) == 6
    assert {soundfile.info(p).frames for p in Path("separated").iterdir()} == {44100 * 60}
