"""LAION-CLAP at its full size against what LAION's code gave, in float64.

The outputs are sensitive: attention under formula weights is sharp, and rounding the mel
spectrogram to float32 alone moves them by 1e-3.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from golden.formula import signal, values
from numpy.typing import NDArray
from torch import Tensor

from sepcli.query.laion_file import LaionFile
from sepcli.query.laion_keys import UNUSED, Tower, of_tower, renamed
from sepcli.query.laion_mel import RATE, WINDOW, log_mel, ten_seconds
from sepcli.query.laion_towers import AudioTower, TextTower

GOLDEN = Path(__file__).parents[1] / "golden"
STORED = 2.0**-18  # half a float32 step at 64 to 128 dB


class FormulaFile(LaionFile):
    """A published checkpoint's keys with the formula's weights, in float64 and in memory."""

    def __init__(self, variant: str) -> None:
        self.path, self.config = Path(variant), None
        self.shapes: dict[str, list[int]] = json.loads(
            (GOLDEN / f"laion_clap_htsat_{variant}_keys.json").read_text()
        )

    def state(self, tower: Tower) -> dict[str, Tensor]:
        keys = of_tower(list(self.shapes), tower)
        pairs = ((key, torch.from_numpy(values(key, tuple(self.shapes[key])))) for key in keys)
        return {name: part for pair in pairs for name, part in renamed(*pair)}


@cache
def stored(variant: str) -> dict[str, NDArray[np.float64]]:
    return dict(np.load(GOLDEN / f"laion_clap_htsat_{variant}.npz"))


def difference(ours: Tensor, theirs: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(ours.numpy() - theirs) / np.linalg.norm(theirs))


@pytest.mark.parametrize("variant", ["base", "tiny"])
def test_every_published_tensor_is_known(variant: str) -> None:
    keys = FormulaFile(variant).shapes
    used = {*of_tower(list(keys), "text"), *of_tower(list(keys), "audio")}
    assert {key for key in keys if not UNUSED.search(key)} == used


@torch.inference_mode()
def test_text() -> None:
    golden = stored("base")
    tower = TextTower(FormulaFile("base"))
    ids, mask = torch.from_numpy(golden["input_ids"]), torch.from_numpy(golden["attention_mask"])
    embeddings = tower(ids, mask)[1]
    assert difference(embeddings, golden["text"]) < 1e-5
    assert difference(embeddings, stored("tiny")["text"]) < 1e-5
    unpadded = tower(ids[:, :6], mask[:, :6])[1]
    assert difference(unpadded, embeddings.numpy()) < 1e-6


@pytest.mark.parametrize("variant", ["base", "tiny"])
@torch.inference_mode()
def test_audio(variant: str) -> None:
    golden, tower = stored(variant), AudioTower(FormulaFile(variant))
    for seconds in (10, 4):
        wave = torch.from_numpy(0.5 * signal("mixture", RATE * seconds, RATE))
        windows = ten_seconds(wave)
        assert windows.shape == (1, WINDOW)
        bands = log_mel(windows)[0, ::5].numpy()
        np.testing.assert_allclose(bands, golden[f"logmel_{seconds}s"], rtol=0, atol=STORED)
        assert difference(tower.pooled(windows)[0], golden[f"pooled_{seconds}s"]) < 1e-6
        assert difference(tower(wave[None])[0], golden[f"audio_{seconds}s"]) < 1e-6
