"""Small checkpoints, and a place to write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from published_layouts import SMALL, State, formula_state

from sepcli.registry.convert import laion_clap
from sepcli.registry.convert.expected import network_shapes


@pytest.fixture(scope="module")
def small_bimodal() -> State:
    """The tensors of a U-Net with few channels."""
    return formula_state(network_shapes("bimodal-unet", SMALL))


@pytest.fixture
def small_clap(monkeypatch: pytest.MonkeyPatch) -> State:
    """The tensors of a LAION-CLAP that is smaller in everything but its layout."""
    sizes = {"TEXT": 8, "TEXT_LAYERS": 2, "WORDS": 11, "POSITIONS": 6, "JOINT": 4, "CLASSES": 5}
    for name, size in {**sizes, "DEPTHS": {4: (2, 1, 1, 1)}}.items():
        monkeypatch.setattr(laion_clap, name, size)
    width = {"audio_branch.patch_embed.proj.weight": (4, 1, 4, 4)}
    return formula_state(laion_clap.expected(width))


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """Writes a checkpoint."""

    def save(content: object, name: str = "model.ckpt", legacy: bool = False) -> Path:
        path = tmp_path / name
        torch.save(content, path, _use_new_zipfile_serialization=not legacy)
        return path

    return save
