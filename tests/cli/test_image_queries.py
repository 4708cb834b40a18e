"""`sepcli separate` asked with pictures: models that see, models that read, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import yaml
from pictures import write_image, write_video
from safetensors.torch import save_file
from tiny_clip import DIMENSION, write_clip

from sepcli.nets.clipsep import ClipSep
from sepcli.query.clip import Clip
from sepcli.query.labels import audioset_names
from sepcli.query.pictures import read_picture
from sepcli.query.sight import Picture, Sight
from sepcli.registry.load import load
from sepcli.registry.store import Registry
from sepcli.separation import looking

Sepcli = Callable[..., int]
Recording = Callable[..., Path]
CLIP = Path("clip")
SMALL = {"embedding": DIMENSION, "layers": 5, "channels": 4, "ngf": 2}


@pytest.fixture
def sees() -> Path:
    """A folder with a small CLIPSep, and a CLIP beside it."""
    write_clip(CLIP)
    folder = Path("sees")
    folder.mkdir()
    torch.manual_seed(1)
    network = ClipSep(**SMALL)
    torch.nn.init.normal_(network.frame_net.weight)
    save_file(network.state_dict(), folder / "separator.safetensors")
    entry = {
        "summary": "sees",
        "architecture": "clipsep",
        "arguments": SMALL,
        "sample_rate": 16_000,
        "channels": 1,
        "query": {"encoder": "clip", "clip": "../clip"},
        "files": {"separator": {"source": "separator.safetensors"}},
        "licence": {"code": "Apache-2.0", "weights": "CC0-1.0"},
        "training_data": "none",
    }
    (folder / "model.yaml").write_text(yaml.safe_dump(entry))
    return folder


def test_a_model_that_sees_is_asked_with_a_picture(
    sees: Path, sepcli: Sepcli, recording: Recording
) -> None:
    mix = recording(seconds=1.0, rate=16_000, channels=1)
    image = write_image(Path("dog.png"))
    assert sepcli("separate", mix, "--image", image, "-m", sees, "-o", "out") == 0
    got = soundfile.read("out/mix.image-dog.wav", dtype="float32")[0]
    query = Clip(str(CLIP)).embed_images([read_picture(Picture(image))])
    wave = torch.from_numpy(soundfile.read(mix, dtype="float32")[0])[None, None]
    with torch.inference_mode():
        wanted, _ = load(Registry().find(str(sees))).network(wave, query, 16_000)
    np.testing.assert_allclose(got, wanted.flatten().numpy(), atol=1e-5)


def test_another_picture_another_sound(sees: Path, sepcli: Sepcli, recording: Recording) -> None:
    mix, video = recording(seconds=1.0), write_video(Path("film.mp4"))
    for at in (0.0, 0.8):
        asked = ("--image-from", f"{video}@{at}", "-m", sees, "-o", f"out{at:.0f}")
        assert sepcli("separate", mix, *asked, "--bits", "float") == 0
    stems = [soundfile.read(path)[0] for path in sorted(Path().glob("out*/*.wav"))]
    assert [path.name for path in sorted(Path().glob("out*/*.wav"))] == [
        "mix.image-film-at-0-s.wav",
        "mix.image-film-at-0-8-s.wav",
    ]
    assert np.abs(stems[0] - stems[1]).max() > 1e-4


def test_pictures_and_words_make_one_query(
    sees: Path, sepcli: Sepcli, recording: Recording
) -> None:
    mix, images = recording(seconds=0.5), [write_image(Path(f"{n}.png"), n) for n in range(2)]
    words = ("-q", "dog", "--image", images[0], "--image", images[1], "-m", sees, "-o", "out")
    assert sepcli("separate", mix, *words) == 0
    assert [path.name for path in Path("out").iterdir()] == ["mix.dog.wav"]


def test_what_was_done_before_is_known_by_its_picture(
    sees: Path, sepcli: Sepcli, recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    mix, image = recording(seconds=0.5), write_image(Path("dog.png"))
    command = ("separate", mix, "--image", image, "-m", sees, "--skip-existing")
    for changed, said in ((False, "1 done"), (False, "1 skipped"), (True, "1 done")):
        if changed:
            write_image(image, seed=5)
        capsys.readouterr()
        assert sepcli(*command) == 0
        assert said in capsys.readouterr().err


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Any picture shows what the linear model understands; gives the CLIPs that looked."""
    looked: list[str] = []

    class Named:
        def __init__(self, source: str, cache: Path) -> None:
            looked.append(source)

        def name(self, images: list[object], labels: tuple[str, ...]) -> Sight:
            assert labels == audioset_names()
            return Sight("a gain of 0.5", 0.25, ("Dog", "Rain"))

    monkeypatch.setattr(looking, "Clip", Named)
    return looked


def test_a_model_that_reads_is_told_what_the_picture_shows(
    linear: Callable[..., Path],
    named: list[str],
    sepcli: Sepcli,
    recording: Recording,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mixes, image = [recording("a.wav"), recording("b.wav")], write_image(Path("dog.png"))
    asked = ("--image", image, "-m", linear(), "-o", "out", "--report", "report.json")
    assert sepcli("separate", *mixes, *asked) == 0
    assert len(named) == 1  # one look for both recordings
    said = "image dog: asking for 'a gain of 0.5', 25% sure (else Dog, Rain)"
    assert capsys.readouterr().err.count(said) == 2
    report = json.loads(Path("report.json").read_text())
    for file in report["files"]:
        assert file["seen"] == [
            {
                "query": "image dog",
                "label": "a gain of 0.5",
                "probability": 0.25,
                "others": ["Dog", "Rain"],
            }
        ]
    stem, mix = (soundfile.read(path)[0] for path in ("out/a.image-dog.wav", "a.wav"))
    np.testing.assert_allclose(stem, 0.5 * mix, atol=1e-6)


def test_the_clip_may_be_chosen(
    linear: Callable[..., Path],
    named: list[str],
    sepcli: Sepcli,
    recording: Recording,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    CLIP.mkdir()
    command = ("separate", recording(), "--image", write_image(Path("dog.png")), "--overwrite")
    model = ("-m", linear())
    assert sepcli(*command, *model) == 0
    assert sepcli(*command, *model, "--clip", "some/clip") == 0
    monkeypatch.setenv("SEPCLI_CLIP", "clip")
    assert sepcli(*command, *model) == 0
    assert named == ["openai/clip-vit-base-patch32", "some/clip", str(CLIP.absolute())]


def test_the_real_path_from_a_picture_to_a_word(
    linear: Callable[..., Path],
    sepcli: Sepcli,
    recording: Recording,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gains = tuple(f"a gain of {n / 10}" for n in range(1, 6))
    monkeypatch.setattr(looking, "audioset_names", lambda: gains)
    image = write_image(Path("dog.png"))
    clip = write_clip(CLIP)
    asked = ("--image", image, "--clip", clip, "-m", linear(), "--report", "report.json")
    assert sepcli("separate", recording(), *asked) == 0
    seen = json.loads(Path("report.json").read_text())["files"][0]["seen"][0]
    sight = Clip(str(clip)).name([read_picture(Picture(image))], gains)
    assert (seen["label"], tuple(seen["others"])) == (sight.label, sight.others)
    stem, mix = (soundfile.read(path)[0] for path in ("separated/mix.image-dog.wav", "mix.wav"))
    np.testing.assert_allclose(stem, float(sight.label.split()[-1]) * mix, atol=1e-6)


def test_a_dry_run_needs_no_clip(
    linear: Callable[..., Path], sepcli: Sepcli, recording: Recording
) -> None:
    asked = ("--image", write_image(Path("dog.png")), "--clip", "not/here", "--dry-run")
    assert sepcli("separate", recording(), *asked, "-m", linear()) == 0


# What is refused


def corrupt() -> tuple[str, ...]:
    path = write_image(Path("photo.png"))
    path.write_bytes(path.read_bytes()[:200])
    return "--image", str(path)


def without_video() -> tuple[str, ...]:
    return "--image-from", "mix.wav@1"


def past_the_end() -> tuple[str, ...]:
    return "--image-from", f"{write_video(Path('film.mp4'))}@0:05"


def without_time() -> tuple[str, ...]:
    return "--image-from", str(write_video(Path("film.mp4")))


def no_time() -> tuple[str, ...]:
    return "--image-from", "film.mp4@soon"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (corrupt, "cannot read photo.png as an image"),
        (lambda: ("--image", "nowhere.png"), "no such picture: nowhere.png"),
        (without_video, "no video in mix.wav"),
        (past_the_end, "film.mp4 has no picture at 5 s: it lasts 0.90 s"),
        (without_time, "no time in film.mp4"),
        (no_time, "not a time: soon"),
    ],
)
def test_pictures_that_cannot_be_read(
    make: Callable[[], tuple[str, ...]],
    message: str,
    linear: Callable[..., Path],
    sepcli: Sepcli,
    recording: Recording,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert sepcli("separate", recording(), *make(), "-m", linear()) == 2
    lines = capsys.readouterr().err.splitlines()
    errors = [line for line in lines if line.startswith("error:")]
    assert len(errors) == 1
    assert errors[0].startswith(f"error: {message}")
    assert sum(line.startswith("help:") for line in lines) == 1
    assert not Path("separated").exists()


def test_a_model_with_fixed_stems_cannot_be_asked(
    linear: Callable[..., Path],
    sepcli: Sepcli,
    recording: Recording,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = linear(stems=["speech", "rest"])
    asked = ("--image", write_image(Path("dog.png")))
    assert sepcli("separate", recording(), *asked, "-m", model) == 2
    assert "answers no queries, it gives speech, rest" in capsys.readouterr().err


def test_no_clip_at_hand(
    linear: Callable[..., Path],
    sepcli: Sepcli,
    recording: Recording,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    asked = ("--image", write_image(Path("dog.png")), "--clip", "some/clip")
    assert sepcli("separate", recording(), *asked, "-m", linear()) == 3
    said = capsys.readouterr().err
    assert "error: CLIP some/clip is not on this machine" in said
    assert "help: hf download openai/clip-vit-base-patch32, or give a folder" in said


def test_a_model_that_sees_is_deaf(
    sees: Path, sepcli: Sepcli, recording: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    mix = recording(seconds=0.5)
    assert sepcli("separate", mix, "--like", mix, "-m", sees) == 3
    assert "understands no example sounds" in capsys.readouterr().err
