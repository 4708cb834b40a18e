"""Items of whole files: sums, and what does not fit together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.errors import ItemError
from sepcli.evaluation.datasets.sound import Track
from sepcli.evaluation.datasets.stems import FileItem


def track(name: str, samples: int = 100, channels: int = 1, rate: int = 8000) -> Track:
    wave = np.full((samples, channels), len(name) / 64)
    soundfile.write(name, wave, rate, "FLOAT")
    return Track(Path(name))


def test_the_mixture_is_its_own_file_or_the_sum() -> None:
    references = {"x": (track("a.wav"), track("bc.wav")), "y": (track("def.wav"),)}
    summed = FileItem("i", references).read()
    assert summed.mixture[0, 0] == (5 + 6 + 7) / 64
    assert {stem: wave[0, 0] for stem, wave in summed.references.items()} == {
        "x": 11 / 64,
        "y": 7 / 64,
    }
    own = FileItem("i", references, track("mixture.wav")).read()
    assert own.mixture[0, 0] == 11 / 64


def test_files_come_once_with_the_mixture_first() -> None:
    stem, mixture = track("a.wav"), track("m.wav")
    item = FileItem("i", {"x": (stem,), "y": (stem,)}, mixture)
    assert item.files == (Path("m.wav"), Path("a.wav"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": 99}, "b.wav: 99 samples, not 100 as in mix.wav"),
        ({"channels": 2}, "b.wav: 2 channels, not 1 as in mix.wav"),
        ({"rate": 4000}, "b.wav: 4000 Hz, not 8000 Hz as in mix.wav"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, int], message: str) -> None:
    references = {"a": (track("a.wav"),), "b": (track("b.wav", **change),)}
    with pytest.raises(ItemError, match=message):
        FileItem("i", references, track("mix.wav")).read()
    with pytest.raises(ItemError, match=message.replace("mix", "a")):
        FileItem("i", references).read()
    with pytest.raises(ItemError, match=message.replace("mix", "a")):
        FileItem("i", {"both": (*references["a"], *references["b"])}, track("mix.wav")).read()


def test_ragged_tracks_are_silent_after_their_end() -> None:
    references = {"a": (track("a.wav", 50), track("bb.wav", 80)), "c": (track("ccc.wav", 120),)}
    example = FileItem("i", references, ragged=True).read()
    expected = np.concatenate([np.full(50, 11 / 64), np.full(30, 6 / 64), np.zeros(40)])
    np.testing.assert_array_equal(example.references["a"][0], expected)
    np.testing.assert_array_equal(example.mixture[0], expected + 7 / 64)
    cut = FileItem("i", references, track("m.wav", 60), ragged=True).read()
    np.testing.assert_array_equal(cut.references["a"][0], expected[:60])


@pytest.mark.parametrize("content", [None, b"", b"not audio at all"])
def test_missing_and_broken_files_are_named(content: bytes | None) -> None:
    if content is not None:
        Path("bad.wav").write_bytes(content)
    with pytest.raises(ItemError, match=r"bad\.wav"):
        FileItem("i", {"a": (Track(Path("bad.wav")),)}, track("m.wav")).read()


def test_an_item_without_tracks() -> None:
    with pytest.raises(ItemError, match="i has no tracks"):
        FileItem("i", {}).read()
