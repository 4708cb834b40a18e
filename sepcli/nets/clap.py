"""The small CLAP: a text tower and an audio tower that meet in one space.

Text: a table of token vectors, averaged with learned token weights, and a two-layer
perceptron; distilled from a sentence encoder, so that it knows far more words than the audio
it was aligned with. It answers in well under a millisecond.

Audio: the log energy of 64 bands through a small convolutional network.

Contrastive language-audio pretraining: Elizalde et al. (2023), Wu et al. (2023).
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sepcli.audio.stft import stft
from sepcli.nets.bands import BINS, FLOOR, band_edges, band_mean, common_magnitude


class TextTower(nn.Module):
    """Token ids to unit vectors.

    Args:
        vocabulary: number of tokens. Token 0 is padding.
        width: length of a token's vector.
        hidden: units of the perceptron.
        embedding: length of the result.
    """

    def __init__(
        self, vocabulary: int, width: int = 128, hidden: int = 512, embedding: int = 256
    ) -> None:
        super().__init__()
        self.table = nn.Embedding(vocabulary, width)
        self.weight = nn.Embedding(vocabulary, 1)
        self.norm = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, hidden)
        self.output = nn.Linear(hidden, embedding)
        self.skip = nn.Linear(width, embedding, bias=False)
        nn.init.zeros_(self.weight.weight)

    def forward(self, ids: Tensor) -> Tensor:
        """(batch, tokens), padded with 0 -> (batch, embedding) of length 1."""
        importance = self.weight(ids).masked_fill(ids[..., None] == 0, -torch.inf).softmax(dim=1)
        pooled = self.norm((importance * self.table(ids)).sum(dim=1))
        return F.normalize(self.output(F.gelu(self.hidden(pooled))) + self.skip(pooled), dim=-1)


class AudioTower(nn.Module):
    """Waveforms of any length to unit vectors.

    Args:
        bands: number of frequency bands.
        widths: channels of the convolution stages.
        embedding: length of the result.
    """

    mean: Tensor

    def __init__(
        self,
        bands: int = 64,
        widths: tuple[int, ...] = (16, 32, 64, 128, 256),
        embedding: int = 256,
    ) -> None:
        super().__init__()
        self.register_buffer("mean", band_mean(band_edges(BINS, bands)), persistent=False)
        stages: list[nn.Module] = [
            nn.Conv2d(1, widths[0], 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        ]
        for inputs, outputs in pairwise(widths):
            stages += [conv_stage(inputs, outputs), conv_stage(outputs, outputs), nn.AvgPool2d(2)]
        self.stages = nn.Sequential(*stages)
        self.output = nn.Linear(2 * widths[-1], embedding)

    def forward(self, wave: Tensor, rate: int) -> Tensor:
        """(batch, channels, samples) at `rate` Hz -> (batch, embedding) of length 1."""
        return self.embed(common_magnitude(stft(wave, rate)))

    def embed(self, magnitude: Tensor) -> Tensor:
        """(batch, BINS, frames) -> (batch, embedding) of length 1."""
        power = torch.einsum("bft,fk->bkt", magnitude.square(), self.mean)
        level = power.mean((1, 2), keepdim=True).clamp(min=1e-10)
        logs = ((power / level + FLOOR**2).log() + 4) / 4
        short = max(0, 2 ** (len(self.stages) // 3 + 1) - logs.shape[-1])
        x = self.stages(F.pad(logs, (0, short))[:, None])
        x = x.mean(dim=2)  # over frequency
        return F.normalize(self.output(torch.cat([x.mean(-1), x.amax(-1)], dim=1)), dim=-1)


def conv_stage(inputs: int, outputs: int) -> nn.Sequential:
    """3x3 convolution, batch norm, rectifier."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )
