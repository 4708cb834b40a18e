"""Networks that torch.compile translates: with the system's real compiler, and without any."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch._dynamo
from torch import Tensor, nn

from sepcli.audio.stft import istft, stft
from sepcli.errors import ModelError
from sepcli.separation.compiled import Compiled
from sepcli.separation.options import SeparateOptions
from sepcli.separation.runner import Question, Runner

RATE = 8000
with_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="there is no g++")


class Gain(nn.Module):
    """Stems that are the mixture times the queries' first numbers, and presences that are these."""

    def forward(
        self, mixture: Tensor, queries: Tensor | None, _rate: int
    ) -> tuple[Tensor, Tensor | None]:
        assert queries is not None
        gains = queries[:, 0]
        stems = mixture[:, None] * gains[:, None, None]
        return stems.sin(), gains.expand(len(mixture), -1)


@pytest.fixture
def cold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing was ever compiled."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


@with_compiler
def test_it_gives_what_the_network_gives(cold: None) -> None:
    network = Gain()
    compiled = Compiled(network)
    compiled.to(torch.device("cpu"))
    queries = torch.tensor([[0.5, 1.0], [-2.0, 1.0]])
    for samples in (1000, 777):  # the last window of a recording may be shorter
        mixture = torch.randn(3, 2, samples)
        with torch.inference_mode():
            wanted, given = network(mixture, queries, RATE), compiled(mixture, queries, RATE)
        for one, other in zip(wanted, given, strict=True):
            torch.testing.assert_close(other, one, rtol=0, atol=1e-6)


class Spectral(nn.Module):
    """Halves mixtures by way of their spectrograms."""

    def forward(self, mixture: Tensor, _queries: Tensor | None, rate: int) -> tuple[Tensor, None]:
        halved = istft(0.5 * stft(mixture, rate), rate, mixture.shape[-1])
        return halved[:, None], None


@with_compiler
def test_interleaved_channels_as_files_have_them(cold: None) -> None:
    mixture = torch.randn(1, 4000, 2).mT
    with torch.inference_mode():
        stems, _ = Compiled(Spectral())(mixture, None, RATE)
    torch.testing.assert_close(stems[:, 0], 0.5 * mixture, rtol=0, atol=1e-5)


@with_compiler
def test_runners_compile_if_they_are_asked_to(cold: None) -> None:
    wave = np.random.default_rng(0).standard_normal((500, 2)).astype(np.float32)
    question = Question(torch.tensor([[0.5], [2.0]]))
    options = SeparateOptions((), device="cpu")
    answers = []
    for compiled in (False, True):
        runner = Runner(Gain(), replace(options, compile=compiled), notify=lambda _: None)
        torch._dynamo.utils.counters.clear()
        answers += runner.answer([wave], question, RATE)
        assert bool(torch._dynamo.utils.counters["stats"]) == compiled
    np.testing.assert_allclose(answers[1].stems, answers[0].stems, rtol=0, atol=1e-6)


def test_a_missing_compiler_is_told_of(cold: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor import config

    monkeypatch.setattr(config.cpp, "cxx", ("no-such-compiler",))
    with pytest.raises(ModelError, match="cannot be compiled for cpu") as raised:
        Compiled(Gain())(torch.randn(1, 1, 100), torch.ones(1, 1), RATE)
    assert raised.value.remedy == "leave --compile out, or install a C++ compiler, such as g++"
