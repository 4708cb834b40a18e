"""The towers' shapes, lengths and symmetries."""

from __future__ import annotations

import pytest
import torch

from sepcli.nets.clap import AudioTower, TextTower


@pytest.fixture(scope="module")
def text() -> TextTower:
    torch.manual_seed(0)
    tower = TextTower(50, width=8, hidden=16, embedding=12).eval().requires_grad_(False)
    torch.nn.init.normal_(tower.weight.weight)
    return tower


@pytest.fixture(scope="module")
def audio() -> AudioTower:
    torch.manual_seed(0)
    return AudioTower(widths=(4, 8, 8), embedding=12).eval().requires_grad_(False)


def test_text_embeddings_have_length_one(text: TextTower) -> None:
    embeddings = text(torch.tensor([[3, 4, 5], [6, 0, 0]]))
    assert embeddings.shape == (2, 12)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(2))


def test_padding_changes_nothing(text: TextTower) -> None:
    torch.testing.assert_close(
        text(torch.tensor([[3, 4, 0, 0, 0]])), text(torch.tensor([[3, 4]])), atol=1e-6, rtol=1e-5
    )


def test_words_matter(text: TextTower) -> None:
    one, two = text(torch.tensor([[3, 4], [3, 5]]))
    assert float(one @ two) < 0.999


@pytest.mark.parametrize("samples", [1, 400, 16000, 50000])
def test_audio_of_any_length(audio: AudioTower, samples: int) -> None:
    wave = torch.randn(2, 2, samples, generator=torch.Generator().manual_seed(0))
    embeddings = audio(wave, 16000)
    assert embeddings.shape == (2, 12)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(2))


def test_audio_embeddings_do_not_depend_on_level(audio: AudioTower) -> None:
    wave = torch.randn(1, 1, 16000, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(audio(10 * wave, 16000), audio(wave, 16000), atol=1e-4, rtol=1e-3)


def test_audio_embeddings_hardly_depend_on_rate(audio: AudioTower) -> None:
    def tones(rate: int) -> torch.Tensor:
        time = torch.arange(rate) / rate
        return sum(torch.sin(2 * torch.pi * f * time) for f in (300, 1100, 3700))[None, None]

    similarity = float((audio(tones(16000), 16000) * audio(tones(48000), 48000)).sum())
    assert similarity > 0.999
