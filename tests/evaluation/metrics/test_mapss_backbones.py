"""What MAPSS looks at, with a small random network in the place of the large one."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from sepcli.errors import ModelError
from sepcli.evaluation.metrics import mapss_backbones
from sepcli.evaluation.metrics.mapss_backbones import FRAME, Wav2Vec2, raw


class Network(torch.nn.Module):
    """Layer n multiplies by n; the last one's output is "normalised", which here is to 0."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = torch.nn.Module()
        self.encoder.layers = torch.nn.ModuleList(torch.nn.Identity() for _ in range(6))

    def forward(self, values: torch.Tensor, output_hidden_states: bool) -> SimpleNamespace:
        assert output_hidden_states
        state = values.unfold(1, FRAME, FRAME)
        states = [state]
        for number in range(1, len(self.encoder.layers) + 1):
            state = state * number
            states.append(state)
        return SimpleNamespace(hidden_states=(*states[:-1], 0 * states[-1]))


class Extractor:
    """Only wraps; rounds to float32, as the real one does."""

    def __call__(self, wave: np.ndarray, sampling_rate: int, return_tensors: str) -> Any:
        assert (sampling_rate, return_tensors) == (16_000, "pt")
        return SimpleNamespace(input_values=torch.tensor(wave, dtype=torch.float32)[None])


@pytest.fixture
def transformers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """A package `transformers` with two classes; returns how they were asked."""
    calls: list[dict[str, Any]] = []

    def loader(make: type) -> SimpleNamespace:
        def load(folder: Path, **options: Any) -> Any:
            calls.append(options)
            if not (folder / "config.json").exists():
                raise OSError("no config.json")
            return make()

        return SimpleNamespace(from_pretrained=load)

    module = ModuleType("transformers")
    module.Wav2Vec2FeatureExtractor = loader(Extractor)  # type: ignore[attr-defined]
    module.Wav2Vec2Model = loader(Network)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "transformers", module)
    mapss_backbones.load_backbone.cache_clear()
    return calls


def test_raw_is_the_samples() -> None:
    wave = np.arange(2.0 * FRAME + 1)
    np.testing.assert_array_equal(raw(wave), wave[:-1].reshape(2, FRAME))
    assert raw(wave[:-1]).shape == (1, FRAME)
    assert raw(wave[:0]).shape == (0, FRAME)


def test_the_second_layer_is_read(transformers: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "config.json").touch()
    wave = np.arange(3.0 * FRAME)
    embedded = Wav2Vec2(tmp_path)(wave)
    np.testing.assert_array_equal(embedded, 2 * wave.reshape(3, FRAME))
    assert embedded.dtype == np.float64
    # Nothing is ever downloaded.
    assert transformers == [{"local_files_only": True}] * 2


def test_layers_that_are_not_used_are_dropped(
    transformers: list[dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "config.json").touch()
    assert len(Wav2Vec2(tmp_path)._network.encoder.layers) == 3


def test_a_network_is_loaded_once(transformers: list[dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "config.json").touch()
    assert mapss_backbones.load_backbone("raw") is raw
    first = mapss_backbones.load_backbone(str(tmp_path))
    assert mapss_backbones.load_backbone(str(tmp_path)) is first


@pytest.mark.parametrize(("name", "message"), [("missing", "no folder"), ("", "no config.json")])
def test_a_folder_without_a_network(
    transformers: list[dict[str, Any]], tmp_path: Path, name: str, message: str
) -> None:
    with pytest.raises(ModelError, match=message) as refusal:
        Wav2Vec2(tmp_path / name)
    assert mapss_backbones.REPOSITORY in refusal.value.remedy


def test_without_transformers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModelError, match="transformers") as refusal:
        Wav2Vec2(tmp_path)
    assert "sepcli[mapss]" in refusal.value.remedy


def test_checkpoint(tmp_path: Path) -> None:
    mapss_backbones.checkpoint_id.cache_clear()
    assert mapss_backbones.checkpoint_id("raw") == "raw"
    with pytest.raises(ModelError, match="no weights"):
        mapss_backbones.checkpoint_id(str(tmp_path))
    (tmp_path / "pytorch_model.bin").write_bytes(b"weights")
    expected = hashlib.sha256(b"weights").hexdigest()
    assert mapss_backbones.checkpoint_id(str(tmp_path)) == expected


def test_signals_of_different_length_are_cut() -> None:
    frames = mapss_backbones.common_frames([np.ones((3, 2)), np.zeros((2, 2))])
    assert frames.shape == (2, 2, 2)
