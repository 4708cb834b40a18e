"""The mixing recipe of DCASE 2024 task 9."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.errors import ItemError, UsageError
from sepcli.evaluation.datasets import dcase2024_t9

Tree = Callable[[str], Path]


def decibels(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(np.square(a).mean() / np.square(b).mean()))


def clip(root: Path, name: str) -> np.ndarray:
    return soundfile.read(root / f"lass_validation/{name}.wav")[0]


def test_rows(tree: Tree) -> None:
    items = dcase2024_t9.items(tree("dcase2024-t9"), "validation")
    assert [item.name for item in items] == ["0000", "0001"]
    assert items[1].facts == {"snr": -15.0, "clip": "loud", "sources": 2.0}
    assert items[1].queries == {"target": "a loud sound, clipped"}


def test_the_noise_is_scaled_to_the_snr(tree: Tree) -> None:
    root = tree("dcase2024-t9")
    example = dcase2024_t9.items(root, "validation")[0].read()
    target = example.references["target"]
    np.testing.assert_array_equal(target[0], clip(root, "quiet"))
    rest = example.mixture - target
    assert decibels(target, rest) == pytest.approx(5, abs=1e-9)
    np.testing.assert_allclose(rest[0] / clip(root, "hum"), rest[0, 0] / clip(root, "hum")[0])
    assert rest[0, 0] / clip(root, "hum")[0] > 0
    assert example.rate == 16_000


def test_what_would_clip_is_scaled_to_nine_tenths(tree: Tree) -> None:
    root = tree("dcase2024-t9")
    example = dcase2024_t9.items(root, "validation")[1].read()
    target = example.references["target"]
    assert np.abs(example.mixture).max() == pytest.approx(0.9, abs=1e-12)
    assert decibels(target, example.mixture - target) == pytest.approx(-15, abs=1e-9)
    gain = target[0] / clip(root, "loud")
    np.testing.assert_allclose(gain, gain[0])
    assert 0 < gain[0] < 0.9


def test_a_peak_of_one_is_left_alone(tree: Tree) -> None:
    root = tree("dcase2024-t9")
    clips = root / "lass_validation"
    soundfile.write(clips / "quiet.wav", np.array([0.5, -0.25] * 8), 16_000, "DOUBLE")
    soundfile.write(clips / "hum.wav", np.array([0.5, 0.25] * 8), 16_000, "DOUBLE")
    even = dcase2024_t9.mix(clips / "quiet.wav", clips / "hum.wav", 0.0)
    np.testing.assert_allclose(even.mixture[0], [1.0, 0.0] * 8)


def test_other_rates_and_stereo_are_converted(tree: Tree) -> None:
    root = tree("dcase2024-t9")
    path = root / "lass_validation/quiet.wav"
    soundfile.write(path, np.repeat(clip(root, "quiet"), 2)[:, None] * [1, 1], 32_000, "DOUBLE")
    assert dcase2024_t9.items(root, "validation")[0].read().mixture.shape == (1, 1600)


def test_bad_clips(tree: Tree) -> None:
    root = tree("dcase2024-t9")
    item = dcase2024_t9.items(root, "validation")[0]
    noise = root / "lass_validation/hum.wav"
    soundfile.write(noise, np.zeros(1600), 16_000)
    with pytest.raises(ItemError, match=r"hum\.wav is silent"):
        item.read()
    soundfile.write(noise, np.ones(1599), 16_000)
    with pytest.raises(ItemError, match=r"quiet\.wav has 1600 samples, .*hum\.wav 1599"):
        item.read()
    noise.unlink()
    with pytest.raises(ItemError, match=r"no such file: .*hum\.wav"):
        item.read()


def test_an_snr_that_is_no_number_fails_alone(tree: Tree) -> None:
    root = tree("dcase2024-t9")
    sheet = root / "lass_synthetic_validation.csv"
    sheet.write_text(sheet.read_text().replace(",5,", ",loud,"))
    first, second = dcase2024_t9.items(root, "validation")
    with pytest.raises(ItemError, match="0000: the SNR is 'loud'"):
        first.read()
    assert second.read().rate == 16_000


def test_a_missing_list(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lass_synthetic_validation"):
        dcase2024_t9.items(tmp_path, "validation")
