"""TIGER and TIGER-DnR through the real command, small, with weights by formula: the path is what
is tested, not the quality."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import torch
from pictures import write_film, write_video
from published_layouts import State, formula_state
from safetensors.torch import save_file

from sepcli.audio.reader import blocks, probe
from sepcli.registry.convert.expected import network_shapes

Sepcli = Callable[..., int]
Output = pytest.CaptureFixture[str]
SIZES = {"out_channels": 12, "in_channels": 8, "upsampling_depth": 3, "att_n_head": 2}
CONFIG = {**SIZES, "num_blocks": 2, "att_hid_chan": 4, "att_kernel_size": 8, "att_stride": 1}
FRAMES = {
    "tiger": {"win": 640, "stride": 160, "num_sources": 2, "sample_rate": 16_000},
    "tiger-dnr": {"win": 2048, "stride": 512, "num_sources": 3, "sample_rate": 44_100},
}
RATE = 44_100
AUDIO = Path(__file__).parents[2] / "examples/audio"
CLIPS = Path(__file__).parents[1] / "data/esc10"


def published(kind: str, folder: str = "hub") -> Path:
    """A checkpoint as its authors publish it: weights beside config.json."""
    state: State = formula_state(network_shapes(kind, {**SIZES, "num_blocks": 2}))
    Path(folder).mkdir(exist_ok=True)
    save_file(state, f"{folder}/model.safetensors")
    Path(folder, "config.json").write_text(json.dumps(CONFIG | FRAMES[kind]))
    return Path(folder, "model.safetensors")


@pytest.fixture
def model(sepcli: Sepcli) -> Callable[[str], str]:
    """Imports a checkpoint; gives the folder."""

    def make(kind: str) -> str:
        folder = f"small-{kind}"  # not the name of the published one
        assert sepcli("models", "convert", published(kind), "-o", folder) == 0
        return folder

    return make


@pytest.fixture
def film() -> np.ndarray:
    """film.wav: a dog in the rain on the left, a rooster under a helicopter that comes nearer on
    the right; longer than one window of 2 s."""
    names = ("dog_and_rain", "rooster_and_helicopter")
    sides = [soundfile.read(AUDIO / f"{name}.flac", frames=int(2.6 * RATE))[0] for name in names]
    mixture = np.stack([side.mean(axis=1) for side in sides], axis=1)
    mixture[:, 1] *= np.linspace(0.1, 1, len(mixture))
    soundfile.write("film.wav", mixture, RATE, "FLOAT")
    return mixture


def stems(folder: str = "out") -> dict[str, np.ndarray]:
    return {path.stem.split(".")[1]: soundfile.read(path)[0] for path in Path(folder).glob("*.wav")}


def test_films_are_parted_and_stay_stereo(
    model: Callable[[str], str], sepcli: Sepcli, film: np.ndarray
) -> None:
    words = ("separate", "film.wav", "--model", model("tiger-dnr"), "--window", "2", "-o", "out")
    assert sepcli(*words, "--residual") == 0
    parts = stems()
    assert set(parts) == {"dialogue", "music", "effects", "residual"}
    assert all(wave.shape == film.shape for wave in parts.values())
    assert np.abs(sum(parts.values()) - film).max() < 1e-5
    for name in ("dialogue", "music", "effects"):
        left, right = parts[name].T
        assert np.linalg.norm(left - right) > 0.1 * np.linalg.norm(left)
        assert np.linalg.norm(right[: RATE // 2]) < 0.5 * np.linalg.norm(right[-RATE // 2 :])
    assert np.linalg.norm(parts["dialogue"] - parts["music"]) > 1e-3

    soundfile.write("film.wav", film[:, ::-1], RATE, "FLOAT")
    assert sepcli(*words[:-1], "turned", "--stems", "dialogue", "--residual") == 0
    turned = stems("turned")
    assert set(turned) == {"dialogue", "residual"}
    np.testing.assert_allclose(turned["dialogue"][:, ::-1], parts["dialogue"], atol=1e-5)
    np.testing.assert_allclose(sum(turned.values()), film[:, ::-1], atol=1e-5)


def test_a_film_with_pictures(
    model: Callable[[str], str], sepcli: Sepcli, film: np.ndarray
) -> None:
    write_film(Path("film.mp4"), film.astype(np.float32), RATE)
    words = ("separate", "film.mp4", "--model", model("tiger-dnr"), "--window", "2", "-o", "out")
    assert sepcli(*words, "--residual", "--bits", "float") == 0
    heard = np.concatenate(list(blocks(probe(Path("film.mp4")))))
    parts = stems()
    assert set(parts) == {"dialogue", "music", "effects", "residual"}
    assert np.abs(sum(parts.values()) - heard).max() < 1e-5
    assert np.linalg.norm(heard[: len(film)] - film) < 0.3 * np.linalg.norm(film)  # it is AAC
    for name in ("dialogue", "music", "effects"):
        left, right = parts[name].T
        assert np.linalg.norm(left - right) > 0.1 * np.linalg.norm(left)

    write_video(Path("silent.mp4"))
    assert sepcli("separate", "silent.mp4", *words[2:]) == 1


def test_speakers_sum_to_the_recording(model: Callable[[str], str], sepcli: Sepcli) -> None:
    sides = [soundfile.read(CLIPS / name)[0] for name in ("1-17367-A.ogg", "3-144028-A.ogg")]
    mixture = soxr.resample(sum(side[: 3 * RATE] for side in sides), RATE, 16_000)
    soundfile.write("talk.wav", mixture, 16_000, "FLOAT")
    words = ("separate", "talk.wav", "--model", model("tiger"), "--window", "1.5", "-o", "out")
    assert sepcli(*words) == 0
    parts = stems()
    assert set(parts) == {"speaker1", "speaker2"}
    assert np.abs(sum(parts.values()) - mixture).max() < 1e-5


def test_bad_inputs_are_refused_before_any_work(
    model: Callable[[str], str], sepcli: Sepcli, film: np.ndarray, capsys: Output
) -> None:
    words = ("separate", "film.wav", "--model", model("tiger-dnr"))
    for more, message in (
        (("--stems", "dialog"), "has no stem dialog (did you mean dialogue?)"),
        (("--query", "speech"), "answers no queries, it gives dialogue, music, effects"),
        (("-o", "-", "--stems", "music", "--drop-silent"), "without its stem"),
    ):
        assert sepcli(*words, *more) == 2
        assert message in capsys.readouterr().err
    assert sepcli("separate", "film.wav", "--stems", "dialogue") == 2
    assert "has no fixed stems" in capsys.readouterr().err
    assert not Path("separated").exists()


def test_config_json_is_obeyed(model: Callable[[str], str], sepcli: Sepcli, capsys: Output) -> None:
    config = Path(model("tiger"), "model.yaml").read_text()
    assert "num_blocks: 2" in config
    assert "unordered: true" in config
    capsys.readouterr()
    for text, why in (("{", "Invalid JSON"), ('{"num_blocks": 0}', "num_blocks"), ("[]", "file")):
        Path("hub/config.json").write_text(text)
        assert sepcli("models", "convert", "hub/model.safetensors", "-o", "other") == 3
        error = capsys.readouterr().err
        assert "is not TIGER's" in error
        assert why in error
    Path("hub/config.json").unlink()
    assert sepcli("models", "convert", "hub/model.safetensors", "-o", "other") == 0
    assert "num_blocks" not in Path("other/model.yaml").read_text()  # the published number


def test_training_checkpoints_and_other_bands(sepcli: Sepcli, capsys: Output) -> None:
    state = formula_state(network_shapes("tiger", SIZES))
    wrapped = {f"audio_model.{key}": value for key, value in state.items()}
    torch.save({"state_dict": wrapped, "epoch": 3}, "last.ckpt")
    assert sepcli("models", "convert", "last.ckpt", "-o", "mine") == 0
    assert "stride: 160" in Path("mine/model.yaml").read_text()
    short = {key: x for key, x in state.items() if not key.startswith(("BN.66.", "mask.66."))}
    save_file(short, "short.safetensors")
    capsys.readouterr()
    assert sepcli("models", "convert", "short.safetensors", "-o", "none") == 3
    assert "66 bands is not supported" in capsys.readouterr().err


def test_silent_stems_are_dropped_on_request(
    linear: Callable[..., Path], sepcli: Sepcli, film: np.ndarray, capsys: Output
) -> None:
    folder = linear(["speaker1", "speaker2"], unordered=True)
    save_file({"gains": torch.tensor([0.9, 1e-3])}, folder / "gains.safetensors")
    words = ("separate", "film.wav", "--model", folder, "-o", "out", "--residual")
    assert sepcli(*words) == 0
    assert set(stems()) == {"speaker1", "speaker2", "residual"}
    assert sepcli(*words, "--drop-silent", "--overwrite", "--progress", "plain") == 0
    assert set(stems()) == {"speaker1", "residual"}  # what an earlier run left is gone, too
    assert "speaker2 is silent: not written" in capsys.readouterr().err
    assert sepcli(*words, "--drop-silent", "--skip-existing", "--report", "again.json") == 0
    assert json.loads(Path("again.json").read_text())["files"][0]["status"] == "skipped"
    assert sepcli(*words, "--skip-existing", "--report", "more.json") == 0
    assert set(stems()) == {"speaker1", "speaker2", "residual"}
