"""Finding another tool's stems, and fitting them to their mixture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.errors import ItemError, UsageError
from sepcli.evaluation.datasets.base import Example
from sepcli.evaluation.protocols import Protocol, find_protocol
from sepcli.evaluation.systems import FolderSystem, read_estimate

RATE = 8000
PLAIN = find_protocol("folder/si-sdr")


def example(samples: int = 8000, channels: int = 2) -> Example:
    return Example(RATE, np.zeros((channels, samples)), {"vocals": np.zeros((channels, samples))})


def write(path: Path, samples: int = 8000, channels: int = 2, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    ramp = np.linspace(-0.5, 0.5, samples, dtype=np.float32)
    soundfile.write(path, np.repeat(ramp[:, None], channels, 1), rate, "FLOAT")
    return path


@pytest.mark.parametrize(
    "name",
    [
        "test/A - B/singing voice.wav",
        "A - B/Singing Voice.wav",
        "test/A - B.singing voice.wav",
        "A - B_singing-voice.wav",
        "A - B - singing voice.wav",
        "singing voice/A - B.wav",
        "train/A - B/singing voice.wav",
    ],
)
def test_finds_the_names_that_tools_give(tmp_path: Path, name: str) -> None:
    write(tmp_path / "A - B/drums.wav")
    path = write(tmp_path / name)
    assert FolderSystem(tmp_path).find("test/A - B", "singing voice") == path


def test_a_stem_that_is_not_there_or_there_twice_is_refused(tmp_path: Path) -> None:
    system = FolderSystem(tmp_path)
    with pytest.raises(ItemError, match="no estimate of vocals"):
        system.find("song", "vocals")
    write(tmp_path / "song/vocals.wav")
    write(tmp_path / "song/vocals.w64")
    with pytest.raises(ItemError, match="several files"):
        system.find("song", "vocals")


def test_a_name_with_pattern_characters_is_only_a_name(tmp_path: Path) -> None:
    write(tmp_path / "songs/vocals.wav")
    with pytest.raises(ItemError):
        FolderSystem(tmp_path).find("song[s]", "vocals")
    path = write(tmp_path / "song[s]*/vocals.wav")
    assert FolderSystem(tmp_path).find("song[s]*", "vocals") == path


def test_no_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        FolderSystem(tmp_path / "none")


@pytest.mark.parametrize(("off", "kept"), [(-800, 7200), (0, 8000), (800, 8000)])
def test_a_tenth_of_a_second_is_forgiven(tmp_path: Path, off: int, kept: int) -> None:
    path = write(tmp_path / "x.wav", 8000 + off)
    wave = read_estimate(path, example(), PLAIN)
    ramp = np.linspace(-0.5, 0.5, 8000 + off, dtype=np.float32)
    assert wave.shape == (2, 8000)
    assert np.array_equal(wave[1, :kept], ramp[:kept])
    assert not wave[:, kept:].any()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"samples": 8801}, "801 samples too long"),
        ({"samples": 7199}, "801 samples too short"),
        ({"channels": 1}, "1 channels, but the mixture has 2"),
        ({"rate": 16000}, "16000 Hz, but the mixture has 8000 Hz"),
    ],
)
def test_what_would_make_a_score_meaningless_is_refused(
    tmp_path: Path, given: dict[str, int], said: str
) -> None:
    with pytest.raises(ItemError, match=said):
        read_estimate(write(tmp_path / "x.wav", **given), example(), PLAIN)


def test_estimates_take_the_protocols_form_as_the_mixture_does(tmp_path: Path) -> None:
    """Estimates at the data set's own rate and channels, in a protocol of 4 kHz mono."""
    protocol = Protocol(**{**PLAIN.model_dump(), "mono": True, "rate": RATE // 2})
    tone = 0.5 * np.sin(2 * np.pi * 300 * np.arange(RATE) / RATE)
    soundfile.write(tmp_path / "x.wav", np.stack([tone, 0 * tone], 1), RATE, "FLOAT")
    prepared = Example(RATE // 2, np.zeros((1, RATE // 2)), {})
    wave = read_estimate(tmp_path / "x.wav", prepared, protocol)
    wanted = 0.25 * np.sin(2 * np.pi * 300 * np.arange(RATE // 2) / (RATE // 2))
    assert wave.shape == (1, RATE // 2)
    assert np.abs(wave[0] - wanted)[500:-500].max() < 1e-4
