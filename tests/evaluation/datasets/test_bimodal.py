"""MUSIC, VGGSound and AudioCaps, mixed as BiModalAudioSeparation mixes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.errors import UsageError
from sepcli.evaluation.datasets import audiocaps, music, vggsound
from sepcli.evaluation.datasets.bimodal import Clip, draw, excerpt
from sepcli.evaluation.datasets.sound import Sound, Track

Tree = Callable[[str], Path]

RATE = 16_000
SAMPLES = 131_070
HALF = 65_535


def wav(path: Path) -> np.ndarray:
    return soundfile.read(path)[0]


def ramp(samples: int) -> Sound:
    return Sound(Track(Path("ramp.wav")), RATE, np.arange(1.0, samples + 1)[None] / 1e6)


def test_the_middle_of_a_long_clip() -> None:
    out = excerpt(ramp(200_000), Clip(Path(), "", ""))
    np.testing.assert_allclose(out * 1e6, np.arange(100_000 - HALF, 100_000 + HALF) + 1)


def test_a_given_centre_with_silence_before_the_clip() -> None:
    out = excerpt(ramp(200_000), Clip(Path(), "", "", centre=2.0))
    assert not out[: HALF - 32_000].any()
    np.testing.assert_allclose(out[HALF - 32_000 :] * 1e6, np.arange(1, 32_000 + HALF + 1))


def test_silence_after_the_clip() -> None:
    out = excerpt(ramp(140_000), Clip(Path(), "", "", centre=7.0))
    end = HALF + 140_000 - 112_000
    np.testing.assert_allclose(out[:end] * 1e6, np.arange(112_000 - HALF, 140_000) + 1)
    assert not out[end:].any()


def test_a_centre_behind_the_end_is_the_middle() -> None:
    clip = Clip(Path(), "", "", centre=60.0)
    np.testing.assert_array_equal(
        excerpt(ramp(200_000), clip), excerpt(ramp(200_000), Clip(Path(), "", ""))
    )


def test_short_clips_are_repeated_or_surrounded_by_silence() -> None:
    repeated = excerpt(ramp(50_000), Clip(Path(), "", ""))
    tiled = np.tile(np.arange(1, 50_001), 3)
    np.testing.assert_allclose(repeated * 1e6, tiled[75_000 - HALF : 75_000 + HALF])
    alone = excerpt(ramp(50_000), Clip(Path(), "", "", repeated=False))
    assert np.flatnonzero(alone).tolist() == list(range(HALF - 25_000, HALF + 25_000))
    np.testing.assert_allclose(alone[HALF] * 1e6, 25_001)


def test_loud_clips_are_clipped() -> None:
    loud = Sound(Track(Path()), RATE, np.full((1, SAMPLES), 1.5) * [[1, -1] * HALF])
    assert set(excerpt(loud, Clip(Path(), "", ""))) == {1.0, -1.0}


def test_music_around_the_middle_of_its_seconds(tree: Tree) -> None:
    root = tree("music")
    items = music.items(root, "test-2")
    assert len(items) == 30
    item = items[0]
    assert item.queries["s1"] == "The sound of acoustic guitar"
    assert item.facts["class:s1"] == "acoustic guitar"
    assert (item.facts["centre:s1"], item.facts["sources"]) == (6.5, 2.0)
    example = item.read()
    assert (example.rate, example.mixture.shape) == (RATE, (1, SAMPLES))
    guitar = wav(root / "audio/acoustic_guitar/clip.wav")
    expected = guitar[104_000 - HALF : 104_000 + HALF] / 2
    np.testing.assert_allclose(example.references["s1"][0], expected, atol=1e-7)
    np.testing.assert_allclose(example.mixture, sum(example.references.values()), atol=1e-15)


def test_drawn_mixtures_never_have_one_class_twice(tree: Tree) -> None:
    root = tree("music")
    for split, count in (("test-2", 2), ("test-3", 3)):
        for item in music.items(root, split):
            classes = {item.facts[f"class:{stem}"] for stem in item.stems}
            assert len(classes) == len(item.stems) == count
    with pytest.raises(UsageError, match=r"4 clips of different .* but 3 are listed"):
        music.items(root, "test-4")


def test_draw_is_fixed_and_covers_every_clip() -> None:
    clips = [Clip(Path(str(n)), "", str(n % 5)) for n in range(20)]
    rows = draw(clips, 2, 3)
    assert rows == draw(clips, 2, 3)
    assert [row[0] for row in rows] == clips * 3
    assert len({str(row[1].path) for row in rows}) > 10


def test_compositions_of_the_user_come_first(tree: Tree) -> None:
    root = tree("music")
    listing = root / "annotations/test_sep_2.csv"
    listing.write_text("/tuba/clip.wav,/cello/clip.wav\n")
    (item,) = music.items(root, "test-2")
    assert [item.facts[f"class:{stem}"] for stem in item.stems] == ["tuba", "cello"]
    listing.write_text("/tuba/clip.wav,/harp/clip.wav\n")
    with pytest.raises(UsageError, match=r"test_sep_2\.csv names /harp/clip\.wav"):
        music.items(root, "test-2")


@pytest.mark.parametrize("row", ["/tuba/clip.wav,x", "/tuba/clip.wav,x,many", "/clip.wav,x,3"])
def test_a_broken_list_of_music(tree: Tree, row: str) -> None:
    root = tree("music")
    (root / "annotations/test.csv").write_text(row + "\n")
    with pytest.raises(UsageError, match=r"test\.csv has a row that is not"):
        music.items(root, "test-2")


def test_vggsound_around_four_and_a_half_seconds(tree: Tree) -> None:
    root = tree("vggsound")
    (item,) = vggsound.items(root, "test-2")
    assert item.queries == {
        "s1": "The sound of dog barking",
        "s2": "The sound of cattle bovinae cowbell",
    }
    example = item.read()
    clip = wav(root / "audio/b_000010.wav")
    expected = clip[72_000 - HALF : 72_000 + HALF] / 2
    np.testing.assert_allclose(example.references["s2"][0], expected, atol=1e-8)
    np.testing.assert_allclose(example.mixture, sum(example.references.values()), atol=1e-15)


def test_vggsound_drawn(tree: Tree) -> None:
    root = tree("vggsound")
    (root / "annotations/test_sep_2.csv").unlink()
    items = vggsound.items(root, "test-2")
    assert [item.facts["class:s1"] for item in items] == [
        "dog barking",
        "cattle bovinae cowbell",
    ] * 2


def test_labels_of_vggsound_may_have_commas(tree: Tree) -> None:
    root = tree("vggsound")
    rows = "a_000001.wav,cattle, bovinae cowbell\nb_000010.wav,dog_barking\n"
    (root / "annotations/test.csv").write_text(rows)
    (root / "annotations/test_sep_2.csv").write_text("a_000001.wav,b_000010.wav\n")
    (item,) = vggsound.items(root, "test-2")
    assert item.facts["class:s1"] == "cattle, bovinae cowbell"
    assert item.facts["class:s2"] == "dog barking"
    assert all(path.is_file() for path in item.files)
    (root / "annotations/test.csv").write_text("a_000001.wav\n")
    with pytest.raises(UsageError, match="a row that is not <clip>, <label>"):
        vggsound.items(root, "test-2")


def test_audiocaps_pairs_tests_with_validation(tree: Tree) -> None:
    root = tree("audiocaps")
    items = audiocaps.items(root, "test")
    assert [item.queries["s1"] for item in items] == ["sound a, 0", "sound a, 1"]
    assert all(item.queries["s2"].startswith("sound b") for item in items)
    example = items[0].read()
    clip = wav(items[0].files[0])
    expected = clip[80_000 - HALF : 80_000 + HALF] / 2
    np.testing.assert_allclose(example.references["s1"][0], expected, atol=1e-8)


@pytest.mark.parametrize("parsed", [True, False])
def test_audiocaps_with_the_authors_lists(tree: Tree, parsed: bool) -> None:
    root = tree("audiocaps")
    (root / "annotations/test_sep2_ids.csv").write_text("test1,val0\n")
    if parsed:
        table = {
            "test1": {"file_id": "a1_30", "caption": "sound a, 1", "sources": []},
            "val0": {"file_id": "b0_30", "caption": "sound b, 0", "sources": []},
        }
        (root / "annotations/parsed_all_caps.json").write_text(json.dumps(table))
        (root / "annotations/test.csv").unlink()
    (item,) = audiocaps.items(root, "test")
    assert item.queries == {"s1": "sound a, 1", "s2": "sound b, 0"}
    assert [path.name for path in item.files] == ["a1_30.wav", "b0_30.wav"]
    assert audiocaps.recognise(root) is not None


def test_broken_lists_of_audiocaps(tree: Tree) -> None:
    root = tree("audiocaps")
    (root / "annotations/val.csv").write_text("audiocap_id,youtube_id,start_time,caption\n")
    with pytest.raises(UsageError, match=r"val\.csv lists no clips"):
        audiocaps.items(root, "test")
    (root / "annotations/test_sep2_ids.csv").write_text("test1,val0\n")
    (root / "annotations/parsed_all_caps.json").write_text('{"test1": 3}')
    with pytest.raises(UsageError, match=r"parsed_all_caps\.json"):
        audiocaps.items(root, "test")
