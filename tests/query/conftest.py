"""A LAION-CLAP a twelfth as wide as HTSAT-tiny and RoBERTa-base, and a tokenizer to match."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import ByteLevelBPETokenizer
from torch import Tensor

from sepcli.query.laion_tokens import SPECIAL

GOLDEN = Path(__file__).parents[1] / "golden"
WORDS, POSITIONS = 300, 514
CORPUS = ["a dog barks loudly", "rain falls on a roof while a woman speaks", "an engine idles"]


@pytest.fixture(scope="session")
def roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with RoBERTa's two original tokenizer files, of other words."""
    folder = tmp_path_factory.mktemp("roberta")
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(CORPUS * 5, WORDS, special_tokens=SPECIAL, show_progress=False)
    tokenizer.save_model(str(folder))
    return folder


@pytest.fixture(scope="session")
def laion_state() -> dict[str, Tensor]:
    """Under LAION's keys, tame enough for finite differences."""
    shapes = json.loads((GOLDEN / "laion_clap_htsat_tiny_keys.json").read_text())
    torch.manual_seed(0)
    return {key: _tensor(key, [_narrowed(n) for n in shape]) for key, shape in shapes.items()}


@pytest.fixture(scope="session")
def laion_weights(laion_state: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that `laion_state` makes."""
    path = tmp_path_factory.mktemp("laion") / "clap.safetensors"
    save_file(laion_state, path)
    return path


def _narrowed(size: int) -> int:
    return size // 12 if size % 96 == 0 else {50265: WORDS}.get(size, size)


def _tensor(key: str, shape: list[int]) -> Tensor:
    if key.endswith("running_var") or (key.endswith("weight") and len(shape) == 1):
        return 1 + 0.1 * torch.rand(shape)
    if key.endswith("bn0.running_mean"):
        return torch.full(shape, -30.0)  # dB
    return torch.randn(shape) * (0.1 if len(shape) < 2 else torch.tensor(shape[1:]).prod() ** -0.5)
