"""LibriMix, WHAM!, WHAMR!, wsj0-2mix, LRS2-2Mix and EchoSet."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.errors import ItemError
from sepcli.evaluation.datasets import echoset, librimix, lrs2_2mix, wham, wsj0_2mix
from sepcli.evaluation.datasets.base import Item

Tree = Callable[[str], Path]


def check(item: Item, folder: Path, roles: dict[str, str], mixture: str, rate: int) -> None:
    """That an item's audio is what the files of the roles' folders hold."""
    example = item.read()
    assert (example.rate, tuple(example.references)) == (rate, tuple(roles))
    pairs = [(mixture, example.mixture), *((roles[x], example.references[x]) for x in roles)]
    for role, wave in pairs:
        path = folder / role / f"{item.name}.wav"
        np.testing.assert_array_equal(wave[0], soundfile.read(path)[0])


BOTH = {"s1": "s1", "s2": "s2"}


@pytest.mark.parametrize(
    ("split", "mixture", "roles"),
    [
        ("test", "mix_clean", BOTH),
        ("test-noisy", "mix_both", BOTH),
        ("test-single", "mix_single", {"s1": "s1"}),
        ("train-100", "mix_clean", BOTH),
        ("train-100-noisy", "mix_both", BOTH),
    ],
)
def test_librimix(tree: Tree, split: str, mixture: str, roles: dict[str, str]) -> None:
    root = tree("librimix")
    subset = "test" if split.startswith("test") else "train-100"
    items = librimix.items(root, split)
    assert [item.name[:4] for item in items] == ["1089", "4077"]
    assert items[0].facts == {
        "subset": subset,
        "mixture": mixture,
        "sources": float(len(roles)),
    }
    check(items[0], root / "wav8k/min" / subset, roles, mixture, 8000)


def test_librimix_in_another_variant(tree: Tree) -> None:
    root = tree("librimix") / "wav16k/max"
    check(librimix.items(root, "test")[0], root / "test", BOTH, "mix_clean", 16_000)
    evidence = librimix.recognise(root)
    assert evidence is not None
    assert evidence.certainty == 1


def test_three_speakers(tree: Tree) -> None:
    root = tree("librimix")
    shutil.copytree(root / "wav8k/min/test/s2", root / "wav8k/min/test/s3")
    (first, _) = librimix.items(root, "test")
    assert (first.stems, first.facts["sources"]) == (("s1", "s2", "s3"), 3.0)


def test_clean_speech_sums_to_the_mixture(tree: Tree) -> None:
    example = librimix.items(tree("librimix"), "test")[0].read()
    np.testing.assert_allclose(sum(example.references.values()), example.mixture, atol=1e-7)


def test_a_missing_file_is_a_failure_and_not_a_gap(tree: Tree) -> None:
    root = tree("librimix")
    next((root / "wav8k/min/test/mix_clean").glob("1089*")).unlink()
    items = librimix.items(root, "test")
    assert len(items) == 2
    with pytest.raises(ItemError, match="mix_clean/1089"):
        items[0].read()


@pytest.mark.parametrize(
    ("split", "mixture", "roles"),
    [
        ("tt", "mix_clean", BOTH),
        ("tt-noisy", "mix_both", BOTH),
        ("tt-single", "mix_single", {"s1": "s1"}),
    ],
)
def test_wham(tree: Tree, split: str, mixture: str, roles: dict[str, str]) -> None:
    root = tree("wham")
    (item,) = wham.items(root, split)
    check(item, root / "wav8k/min/tt", roles, mixture, 8000)


@pytest.mark.parametrize(
    ("split", "mixture"),
    [
        ("tt", "mix_clean_anechoic"),
        ("tt-noisy", "mix_both_anechoic"),
        ("tt-reverb", "mix_clean_reverb"),
        ("tt-reverb-noisy", "mix_both_reverb"),
    ],
)
def test_whamr_asks_for_dry_speakers(tree: Tree, split: str, mixture: str) -> None:
    root = tree("wham")
    folder = root / "wav8k/min/tt"
    for role in ("s1", "s2", "mix_clean", "mix_both", "mix_single"):
        shutil.copytree(folder / role, folder / f"{role}_reverb")
        (folder / role).rename(folder / f"{role}_anechoic")
        for path in (folder / f"{role}_reverb").iterdir():
            soundfile.write(path, 0.5 * soundfile.read(path)[0], 8000, "DOUBLE")
    dry = {"s1": "s1_anechoic", "s2": "s2_anechoic"}
    check(wham.items(root, split)[0], folder, dry, mixture, 8000)
    evidence = wham.recognise(root)
    assert evidence is not None
    assert evidence.certainty == 1


def test_wsj0_2mix(tree: Tree) -> None:
    root = tree("wsj0-2mix")
    (item,) = wsj0_2mix.DATASET.items(root, "cv")
    check(item, root / "wav8k/min/cv", BOTH, "mix", 8000)
    assert item.facts == {"subset": "cv", "mixture": "mix", "sources": 2.0}


def test_lrs2_2mix(tree: Tree) -> None:
    root = tree("lrs2-2mix")
    (item,) = lrs2_2mix.DATASET.items(root, "tt")
    check(item, root / "tt", BOTH, "mix", 16_000)


def test_echoset(tree: Tree) -> None:
    root = tree("echoset")
    items = echoset.items(root, "test")
    assert [item.name for item in items] == ["room1/0/mix", "room1/1/mix"]
    example = items[1].read()
    for name, wave in (
        ("mix", example.mixture),
        ("spk1_reverb", example.references["s1"]),
        ("spk2_reverb", example.references["s2"]),
    ):
        np.testing.assert_array_equal(wave[0], soundfile.read(root / f"test/room1/1/{name}.wav")[0])


def test_several_scenes_of_echoset_in_one_folder(tmp_path: Path) -> None:
    mixture = tmp_path / "mixes/mix_07.wav"
    assert echoset.speaker(mixture, "s2") == tmp_path / "mixes/spk2_reverb_07.wav"
