"""A pantry of short recordings on disk, and a teacher that is quick to ask."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from sepcli.training.config import CorpusConfig, SeparatorConfig
from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.sounds import Sounds
from sepcli.training.mixing.pantry import Pantry
from sepcli.training.ontology import Ontology

RATE = 8000  # Hz
# Unlike each other, but for dog and wolf_howl; what ambience_mixed holds, nobody knows.
LABELS = ("dog", "wolf_howl", "rain", "speech", "piano", "train", "siren", "wind", "ambience_mixed")


class Reader:
    """A teacher without weights: equal texts and equal sounds have equal embeddings."""

    dimension = 16
    scale = 20.0

    def __init__(self, hears: bool = True) -> None:
        self.hears = hears
        self.read: list[str] = []

    def texts(self, phrases: Sequence[str]) -> Tensor:
        return torch.stack([self._embedding(phrase.encode()) for phrase in phrases])

    def queries(self, phrases: Sequence[str]) -> Tensor:
        self.read += phrases
        return self.texts(phrases)

    def audio(self, wave: Tensor, rate: int) -> Tensor:
        return torch.stack([self._embedding(row.numpy().tobytes()) for row in wave])

    def to(self, device: torch.device) -> Reader:
        return self

    def _embedding(self, key: bytes) -> Tensor:
        rng = torch.Generator().manual_seed(zlib.crc32(key))
        return torch.nn.functional.normalize(torch.randn(self.dimension, generator=rng), dim=-1)


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Clip]:
    """Writes a clip of noise; origins are names of files."""
    made: list[Clip] = []

    def make(*labels: str, seconds: float = 1.0, rate: int = RATE, **values: object) -> Clip:
        path = tmp_path / f"clips/{len(made)}.wav"
        path.parent.mkdir(exist_ok=True)
        rng = np.random.default_rng(len(made))
        soundfile.write(path, rng.uniform(-0.5, 0.5, round(seconds * rate)), rate)
        given = {"origin": path.stem, "split": "train", "duration": seconds, **values}
        made.append(Clip(path, labels, licence="CC0", credit="nobody", ship=True, **given))
        return made[-1]

    return make


@pytest.fixture
def stock(clip: Callable[..., Clip]) -> Callable[..., Pantry]:
    """Makes a pantry of clips; of two clips of every label, if none are given."""

    def make(*clips: Clip, rate: int = RATE, **values: object) -> Pantry:
        found = clips or [clip(label) for label in LABELS for _ in range(2)]
        return Pantry(found, Sounds(found, rate, 1.0), Ontology.load(), **values)

    return make


@pytest.fixture
def pantry(stock: Callable[..., Pantry]) -> Pantry:
    return stock()


@pytest.fixture
def config() -> Callable[..., SeparatorConfig]:
    """Makes a config of short mixtures, asked for in words and without noise."""

    def make(**values: object) -> SeparatorConfig:
        common: dict[str, object] = {
            "corpora": [CorpusConfig(kind="class-folders", root=Path("clips"))],
            "steps": 1,
            "batch": 8,
            "seconds": 0.1,
            "lr": 1e-3,
            "query_noise": 0.0,
            "example_queries": 0.0,
        }
        return SeparatorConfig(kind="separator", clap="clap", **{**common, **values})

    return make
