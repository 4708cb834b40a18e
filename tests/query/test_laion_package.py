"""The adapter of the package laion-clap: with a double of it, and with itself where it runs."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import try_to_load_from_cache
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from sepcli.errors import ModelError
from sepcli.query.laion_clap import LaionClap
from sepcli.query.laion_mel import RATE, WINDOW
from sepcli.query.laion_package import LaionPackage, build

PROJECTION = {f"text_projection.{n}.weight": torch.eye(2) for n in (0, 2)}


class Module:
    """What the adapter uses of laion_clap.CLAP_Module; embeds a sound by its first sample."""

    def __init__(self, enable_fusion: bool, device: str, amodel: str) -> None:
        assert (enable_fusion, device) == (False, "cpu")
        self.amodel = amodel
        patches = nn.ParameterDict(
            {"bias": torch.ones({"HTSAT-tiny": 96, "HTSAT-base": 128}[amodel])}
        )
        self.model = nn.ModuleDict(
            {
                "text_projection": nn.Sequential(*map(linear, range(3))),
                "audio_branch": nn.ModuleDict({"patch_embed": nn.ModuleDict({"proj": patches})}),
            }
        )

    def get_text_embedding(self, texts: list[str], use_tensor: bool) -> Tensor:
        assert use_tensor
        return torch.tensor([[float(len(text)), 0.0] for text in texts])

    def get_audio_embedding_from_data(self, windows: Tensor, use_tensor: bool) -> Tensor:
        assert use_tensor
        assert windows.shape[1] == WINDOW
        return F.normalize(torch.stack([windows[:, 0], torch.ones(len(windows))], 1), dim=1)


def linear(at: int) -> nn.Module:
    return nn.ReLU() if at == 1 else nn.Linear(2, 2, bias=False)


@pytest.fixture
def make(
    tmp_path: Path, roberta: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., LaionPackage]:
    """An adapter with a double of the package, or with what stands in its place."""

    def adapter(width: int = 96, package: Any = None, **state: Tensor) -> LaionPackage:
        stand_in = package or SimpleNamespace(CLAP_Module=Module)
        monkeypatch.setitem(sys.modules, "laion_clap", stand_in)
        patches = {"audio_branch.patch_embed.proj.bias": torch.zeros(width)}
        save_file({**PROJECTION, **patches, **state}, tmp_path / "clap.safetensors")
        return LaionPackage(tmp_path / "clap.safetensors", roberta)

    return adapter


@pytest.mark.parametrize(("width", "variant"), [(96, "HTSAT-tiny"), (128, "HTSAT-base")])
def test_the_variant_and_the_weights_come_from_the_file(
    width: int, variant: str, make: Callable[..., LaionPackage]
) -> None:
    adapter = make(width)
    assert adapter.embed_texts(["four", "to"]).tolist() == [[4, 0], [2, 0]]
    assert adapter._module.amodel == variant
    assert torch.equal(adapter._module.model["text_projection"][2].weight, torch.eye(2))


def test_long_sound_is_the_mean_of_its_windows(make: Callable[..., LaionPackage]) -> None:
    wave = np.zeros((2 * WINDOW, 1), np.float32)
    wave[0] = 1
    mean = F.normalize(torch.tensor([0.5**0.5, 1 + 0.5**0.5]), dim=0)
    torch.testing.assert_close(make().embed_audio(wave, RATE), mean)


def test_files_that_do_not_fit(make: Callable[..., LaionPackage]) -> None:
    with pytest.raises(ModelError, match="has no HTSAT"):
        make(100).embed_texts(["rain"])
    with pytest.raises(ModelError, match=r"does not fit laion-clap: odd"):
        make(odd=torch.ones(1)).embed_texts(["rain"])
    assert make(logit_scale_a=torch.ones(1)).embed_texts(["rain"]).shape == (1, 2)


def test_without_the_package(
    make: Callable[..., LaionPackage], monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = make()
    monkeypatch.setitem(sys.modules, "laion_clap", None)
    with pytest.raises(ModelError, match="cannot be imported") as caught:
        adapter.embed_texts(["rain"])
    assert caught.value.remedy == "pip install 'sepcli[laion-clap]'"


def test_offline(make: Callable[..., LaionPackage]) -> None:
    def cannot(**_: object) -> None:
        raise OSError("We couldn't connect")

    with pytest.raises(ModelError, match="cannot fetch RoBERTa: We couldn't connect"):
        make(package=SimpleNamespace(CLAP_Module=cannot)).embed_texts(["rain"])


NEEDED = (  # by the import, and by the text branch
    ("roberta-base", "vocab.json"),
    ("roberta-base", "model.safetensors"),
    ("bert-base-uncased", "vocab.txt"),
    ("facebook/bart-base", "vocab.json"),
)


def test_the_package_agrees_with_ours(tmp_path: Path) -> None:
    if importlib.util.find_spec("laion_clap") is None:
        pytest.skip("the package laion-clap is not installed")
    cached = [try_to_load_from_cache(*file) for file in NEEDED]
    if not all(isinstance(path, str) for path in cached):
        pytest.skip("laion-clap downloads three tokenizers at import; they are not in the cache")
    state = {key: value.clone() for key, value in build("HTSAT-tiny").model.state_dict().items()}
    save_file(state, tmp_path / "clap.safetensors")
    files = tmp_path / "clap.safetensors", Path(str(cached[0]))
    encoders = [LaionPackage(*files), LaionClap(*files)]
    rows = [encoder.embed_texts(["a dog barks", "rain on a roof"]) for encoder in encoders]
    torch.testing.assert_close(*rows, rtol=0, atol=1e-4)
    wave = np.random.default_rng(0).standard_normal((12 * RATE, 1)).astype(np.float32)
    heard = [encoder.embed_audio(wave, RATE) for encoder in encoders]
    torch.testing.assert_close(*heard, rtol=0, atol=1e-4)
