"""MUSDB18, MUSDB18-HQ, MoisesDB and Slakh2100."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from sepcli.errors import ItemError
from sepcli.evaluation.datasets import moisesdb, musdb18, musdb18hq, slakh
from sepcli.evaluation.datasets.base import Array, Item
from sepcli.evaluation.datasets.musdb import VALIDATION

Tree = Callable[[str], Path]


def names(items: list[Item]) -> list[str]:
    return [item.name for item in items]


def wav(path: Path) -> Array:
    return soundfile.read(path, always_2d=True)[0].T


def tone(wave: Array, rate: int = 44_100) -> tuple[float, float]:
    """Frequency (Hz) and amplitude of a sine."""
    middle = wave[0, rate // 4 : 3 * rate // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))) * 4 / len(middle)
    return spectrum.argmax() * rate / len(middle), spectrum.max()


def test_the_streams_of_musdb18(tree: Tree) -> None:
    (item,) = musdb18.items(tree("musdb18"), "test")
    assert (item.name, item.stems) == ("Band - Song", ("drums", "bass", "other", "vocals"))
    example = item.read()
    assert example.rate == 44_100
    assert example.mixture.shape[0] == 2
    assert example.mixture.shape[1] == pytest.approx(44_100, abs=2048)
    heard = {"mixture": example.mixture, **example.references}
    expected = dict(zip(heard, (220, 440, 880, 1760, 3520), strict=True))
    for stem, wave in heard.items():
        assert tone(wave) == (pytest.approx(expected[stem], abs=2), pytest.approx(0.25, rel=0.02))


def test_the_validation_tracks_are_musdbs() -> None:
    spec = find_spec("musdb")  # not imported, since that needs the program ffmpeg
    assert spec is not None
    assert spec.origin is not None
    text = Path(spec.origin).with_name("configs").joinpath("mus.yaml").read_text(encoding="utf-8")
    assert set(yaml.safe_load(text)["validation_tracks"]) == VALIDATION


def test_splits_of_musdb(tree: Tree) -> None:
    root = tree("musdb18hq")
    assert names(musdb18hq.items(root, "test")) == ["A - One", "A - Two"]
    assert names(musdb18hq.items(root, "train")) == ["B - First"]
    (item,) = musdb18hq.items(root, "valid")
    assert (item.name, item.facts) == ("ANiMAL - Rockshow", {"split": "valid"})


def test_splits_of_musdb18(tree: Tree) -> None:
    root = tree("musdb18")
    assert names(musdb18.items(root, "train")) == ["Band - First"]
    assert names(musdb18.items(root, "valid")) == ["Leaf - Summerghost"]


def test_musdb18hq_reads_its_files(tree: Tree) -> None:
    root = tree("musdb18hq")
    item = musdb18hq.items(root, "test")[0]
    example = item.read()
    folder = root / "test/A - One"
    np.testing.assert_array_equal(example.mixture, wav(folder / "mixture.wav"))
    for stem in item.stems:
        np.testing.assert_array_equal(example.references[stem], wav(folder / f"{stem}.wav"))
    np.testing.assert_allclose(sum(example.references.values()), example.mixture, atol=1e-7)


def test_a_track_without_vocals_is_listed_and_fails(tree: Tree) -> None:
    root = tree("musdb18hq")
    (root / "test/A - One/vocals.wav").unlink()
    items = musdb18hq.items(root, "test")
    assert len(items) == 2
    with pytest.raises(ItemError, match=r"vocals\.wav"):
        items[0].read()


@pytest.mark.parametrize(
    ("split", "other"), [("4-stems", {"g", "w"}), ("5-stems", {"w"}), ("6-stems", {"w"})]
)
def test_moisesdb_sums_tracks(tree: Tree, split: str, other: set[str]) -> None:
    root = tree("moisesdb")
    item = moisesdb.items(root, split)[0]
    assert item.stems == (
        ("vocals", "drums", "other")
        if split == "4-stems"
        else ("vocals", "drums", "guitar", "other")
    )
    assert item.facts == {"artist": "Somebody", "genre": "rock", "title": "A Song"}
    example = item.read()
    (folder,) = (path for path in root.rglob(item.name))
    expected = np.zeros((2, 910))
    for stem, track in (("guitar", "g"), ("wind", "w")):
        if track in other:
            expected[:, :900] += wav(folder / stem / f"{track}.wav")
    np.testing.assert_allclose(example.references["other"], expected, atol=1e-7)
    first, second = (wav(folder / f"vocals/{name}.wav") for name in ("v1", "v2"))
    np.testing.assert_allclose(example.references["vocals"][:, :900], first + second[:, :900])
    np.testing.assert_allclose(example.references["vocals"][:, 900:], second[:, 900:])
    np.testing.assert_allclose(example.mixture, sum(example.references.values()))


def test_moisesdb_from_the_folder_of_songs(tree: Tree) -> None:
    root = tree("moisesdb")
    inner = moisesdb.items(root / "moisesdb_v0.1", "4-stems")
    assert names(inner) == names(moisesdb.items(root, "4-stems"))


@pytest.mark.parametrize(
    "text", ["no json", "{}", "[]", json.dumps({"stems": [{"stemName": "vocals", "tracks": 3}]})]
)
def test_a_broken_index_is_an_item_that_fails(tree: Tree, text: str) -> None:
    root = tree("moisesdb")
    index = next(root.rglob("data.json"))
    index.write_text(text)
    (broken,) = (x for x in moisesdb.items(root, "4-stems") if x.name == index.parent.name)
    assert (broken.stems, broken.facts, broken.queries) == ((), {}, {})
    with pytest.raises(ItemError, match=r"data\.json"):
        broken.read()


def test_slakh_sums_by_class(tree: Tree) -> None:
    root = tree("slakh")
    (item,) = slakh.items(root, "test")
    assert (item.name, item.stems) == ("Track01877", ("Bass", "Guitar"))
    assert item.facts == {"sources": 2.0}
    example = item.read()
    folder = root / "test/Track01877"
    guitar = wav(folder / "stems/S01.flac") + wav(folder / "stems/S02.flac")
    np.testing.assert_allclose(example.references["Guitar"], guitar, atol=1e-7)
    np.testing.assert_array_equal(example.references["Bass"], wav(folder / "stems/S00.flac"))
    np.testing.assert_array_equal(example.mixture, wav(folder / "mix.flac"))
    np.testing.assert_allclose(sum(example.references.values()), example.mixture, atol=1e-6)


@pytest.mark.parametrize("text", ["- a list", "stems: {S00: {plugin: none}}", "stems: [1]", "a: b"])
def test_broken_metadata_of_slakh(tree: Tree, text: str) -> None:
    root = tree("slakh")
    (root / "test/Track01877/metadata.yaml").write_text(text)
    (item,) = slakh.items(root, "test")
    with pytest.raises(ItemError, match=r"Track01877.*metadata\.yaml"):
        item.read()
