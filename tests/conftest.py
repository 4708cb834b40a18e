"""Fixtures that all tests share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import yaml
from loopback import Site
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from sepcli.cli.main import main
from sepcli.registry import load as loading
from sepcli.registry import store

Wave = NDArray[np.float32]

GAINS = (0.25, 0.5)  # of the linear model's first and second stem, or of a query's


torch.set_num_threads(1)  # two processes' threads would wait for each other


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the user's registry or cache, or writes beside itself."""
    monkeypatch.setenv("SEPCLI_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SEPCLI_REGISTRY", raising=False)
    monkeypatch.delenv("SEPCLI_CLIP", raising=False)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


class Linear(nn.Module):
    """A model whose stems are the mixture times a gain: everything about it is known.

    With queries, an embedding is parallel to (gain, presence, 1); without, the gains are its
    weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gains = nn.Parameter(torch.tensor(GAINS))
        self.batches: list[int] = []
        self.most = 10**9  # values of (batch, channels, samples) before memory "runs out"

    def forward(
        self, mixture: Tensor, queries: Tensor | None, rate: int
    ) -> tuple[Tensor, Tensor | None]:
        if mixture.numel() > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory (pretended)")
        self.batches.append(len(mixture))
        if queries is None:
            return mixture[:, None] * self.gains[:, None, None], None
        gains, presence = (queries[:, :2] / queries[:, 2:]).T
        return mixture[:, None] * gains[:, None, None], presence.expand(len(mixture), -1)


class LinearEncoder:
    """Queries such as "a gain of 0.5" or "a gain of 0.5 with presence 0.1"; the peak of audio."""

    dimension = 3

    def embed_texts(self, texts: list[str]) -> Tensor:
        rows = []
        for text in texts:
            words = text.split()
            numbers = [float(w) for w in words if w.replace(".", "").replace("-", "").isdigit()]
            rows.append([numbers[0], numbers[1] if len(numbers) > 1 else 1.0, 1.0])
        return nn.functional.normalize(torch.tensor(rows), dim=-1)

    def embed_audio(self, wave: Wave, rate: int) -> Tensor:
        row = torch.tensor([float(np.abs(wave).max()), 1.0, 1.0])
        return nn.functional.normalize(row, dim=-1)


@pytest.fixture
def linear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Makes a folder with a linear model; `linear.networks` are those that were loaded."""
    networks: list[Linear] = []

    def build(**arguments: object) -> Linear:
        network = Linear()
        for name, value in arguments.items():
            setattr(network, name, value)
        networks.append(network)
        return network

    monkeypatch.setitem(loading.ARCHITECTURES, "linear", build)
    monkeypatch.setitem(loading.ENCODERS, "small-clap", lambda *_: LinearEncoder())

    def make(stems: list[str] | None = None, name: str = "linear", **entry: object) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        save_file({"gains": torch.tensor(GAINS)}, folder / "gains.safetensors")
        (folder / "clap.safetensors").write_bytes(b"none")
        (folder / "tokenizer.json").write_bytes(b"none")
        roles = {"separator": "gains.safetensors"}
        if stems is None:
            roles |= {"clap": "clap.safetensors", "tokenizer": "tokenizer.json"}
        text = {
            "summary": "multiplies",
            "architecture": "linear",
            **({"stems": stems} if stems else {"query": {"encoder": "small-clap"}}),
            "windows": {"length": 2.0, "context": 0.25, "fade": 0.25},
            "files": {role: {"source": source} for role, source in roles.items()},
            "licence": {"code": "Apache-2.0", "weights": "CC0-1.0"},
            "training_data": "none",
            **entry,
        }
        (folder / "model.yaml").write_text(yaml.safe_dump(text))
        return folder

    make.networks = networks  # type: ignore[attr-defined]
    return make


@pytest.fixture
def noise() -> Callable[..., Wave]:
    """Makes reproducible noise, (samples, channels)."""

    def make(seconds: float = 5.0, rate: int = 8000, channels: int = 2, peak: float = 0.5) -> Wave:
        rng = np.random.default_rng(7)
        wave = rng.uniform(-1, 1, (round(seconds * rate), channels))
        return (peak * wave).astype(np.float32)

    return make


@pytest.fixture
def recording(noise: Callable[..., Wave]) -> Callable[..., Path]:
    """Writes a recording of noise into the working folder."""

    def make(
        name: str = "mix.wav",
        seconds: float = 5.0,
        rate: int = 8000,
        channels: int = 2,
        subtype: str | None = "FLOAT",
        peak: float = 0.5,
    ) -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise(seconds, rate, channels, peak), rate, subtype)
        return path

    return make


@pytest.fixture
def sepcli(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs the command in this process; returns its exit code."""

    def run(*words: object) -> int:
        monkeypatch.setattr(sys, "argv", ["sepcli", *map(str, words)])
        with pytest.raises(SystemExit) as caught:
            main()
        return int(caught.value.code or 0)

    return run


@pytest.fixture
def nothing_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No registry knows where to download anything."""
    path = tmp_path / "empty.yaml"
    path.write_text("{version: 1, models: {}}")
    monkeypatch.setattr(store, "shipped_registry", lambda: path)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A web server on this machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("SEPCLI_OFFLINE", raising=False)
    server = Site()
    yield server
    server.close()
