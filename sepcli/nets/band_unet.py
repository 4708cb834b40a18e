"""BandUNet: a query-conditioned mask over merged frequency bands.

    waveform -> spectrogram (40 ms, 10 ms) -> log magnitude, level removed
             -> band split (64 bands x 40 ms) -> encoder -> recurrence over time
             -> decoder, told by FiLM what to keep -> mask per bin -> filtered waveform

The encoder never sees the query, so several queries share it. The mask is real, between 0
and 1, and one for all channels: a stereo image cannot wander. Only log magnitudes relative
to the window's level enter the network, so a gain on the input is the same gain on the output.

The U-Net is that of Jansson et al. (2017), the band split that of Luo and Yu (2022), FiLM
that of Perez et al. (2018).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sepcli.audio.stft import hop_length, istft, stft
from sepcli.nets.bands import BINS, band_edges, band_mean, common_magnitude, level_free_log
from sepcli.nets.presence import Answer, Presence

PATCH = 4  # frames merged at the input: 40 ms


class BandUNet(nn.Module):
    """Separates what a query embedding describes from a mixture of any sample rate.

    Args:
        embedding: width of the query embedding.
        bands: number of frequency bands.
        widths: channels of the levels of the U-Net, outermost first.
        hidden: units of the recurrent layer, in each direction.
        presence: what its presence score is judged by, see `Presence`; `none` for none.
    """

    def __init__(
        self,
        embedding: int = 256,
        bands: int = 64,
        widths: tuple[int, ...] = (40, 64, 96, 160),
        hidden: int = 160,
        presence: Literal["none", "sees", "hears"] = "hears",
    ) -> None:
        super().__init__()
        self.levels = len(widths) - 1
        self.bands = bands
        edges = band_edges(BINS, bands)
        self.split = BandSplit(edges, widths[0])
        self.encoders = nn.ModuleList(
            [ConvPair(widths[0], widths[0])] + [ConvPair(a, b) for a, b in pairwise(widths)]
        )
        self.context = TimeContext(widths[-1], bands >> self.levels, hidden)
        self.query = nn.Sequential(nn.Linear(embedding, 256), nn.GELU())
        self.bottom = FilmConvPair(widths[-1], widths[-1])
        self.narrow = nn.ModuleList(
            nn.Conv2d(deep, shallow, 1)
            for deep, shallow in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.decoders = nn.ModuleList(FilmConvPair(width, width) for width in widths[-2::-1])
        self.merge = BandMerge(edges, widths[0])
        self.presence: Presence | None = (
            None
            if presence == "none"
            else Presence(widths[-1], widths[0], embedding, hears=presence == "hears")
        )

    @staticmethod
    def accepts(rate: int) -> bool:
        """Whether a signal of `rate` Hz can be filtered without resampling."""
        return rate >= 8000 and rate % 100 == 0

    def grid(self, rate: int) -> int:
        """Samples, at a rate in Hz, whose frames are pooled into one."""
        return self.frames_pooled * hop_length(rate)

    @property
    def frames_pooled(self) -> int:
        """Frames that become one at the deepest level."""
        return PATCH << self.levels

    def forward(self, mixture: Tensor, queries: Tensor, rate: int) -> tuple[Tensor, Tensor | None]:
        """Filter a batch of windows by every query.

        Args:
            mixture: (batch, channels, samples).
            queries: (queries, embedding), each of length 1.
            rate: sample rate in Hz, see `accepts`.

        Returns:
            stems (batch, queries, channels, samples), and the probability that each query
            is heard in each window (batch, queries), or None without a presence score.
        """
        spec = stft(mixture, rate)
        pairs = queries.expand(len(mixture), *queries.shape)
        answer = self.answer(common_magnitude(spec), pairs)
        masks = fit_bins(answer.masks, spec.shape[-2])
        stems = istft(masks[:, :, None] * spec[:, None], rate, mixture.shape[-1])
        return stems, None if self.presence is None else self.presence(answer).sigmoid()

    def masks(self, magnitude: Tensor, queries: Tensor) -> Tensor:
        """Masks from 0 to 1.

        Args:
            magnitude: (batch, BINS, frames).
            queries: (batch, queries, embedding).

        Returns:
            (batch, queries, BINS, frames)
        """
        return self.answer(magnitude, queries).masks

    def answer(self, magnitude: Tensor, queries: Tensor) -> Answer:
        """Masks, and what they were made of; arguments as of `masks`."""
        batch, n_queries = queries.shape[:2]
        frames = magnitude.shape[-1]
        padded = F.pad(magnitude, (0, -frames % self.frames_pooled))
        skips, deep = self.encode(level_free_log(padded))
        film = self.query(queries.flatten(0, 1))
        first = self.bottom(repeat(deep, n_queries), film)
        x = first
        for narrow, decoder, skip in zip(self.narrow, self.decoders, skips[::-1], strict=True):
            x = F.interpolate(narrow(x), scale_factor=2.0)
            x = decoder(x + repeat(skip, n_queries), film)
        logits = self.merge(x)[..., :frames].view(batch, n_queries, BINS, frames)
        return Answer(magnitude, queries, logits.sigmoid(), first, x, film)

    def encode(self, log_magnitude: Tensor) -> tuple[list[Tensor], Tensor]:
        """Features that all queries share: one tensor per level, and the deepest."""
        x = self.encoders[0](self.split(log_magnitude))
        skips = []
        for encoder in list(self.encoders)[1:]:
            skips.append(x)
            x = encoder(F.avg_pool2d(x, 2))
        return skips, self.context(x)


class BandSplit(nn.Module):
    """(batch, BINS, frames) -> (batch, channels, bands, frames / PATCH).

    A band's features are a linear map of its mean and of the bins' deviations from it.
    """

    bins_of_band: Tensor
    inside: Tensor
    mean: Tensor

    def __init__(self, edges: list[int], channels: int) -> None:
        super().__init__()
        bins_of_band, inside = padded_bands(edges)
        self.register_buffer("bins_of_band", bins_of_band, persistent=False)
        self.register_buffer("inside", inside, persistent=False)
        self.register_buffer("mean", band_mean(edges), persistent=False)
        bands, widest = bins_of_band.shape
        self.level = nn.Parameter(torch.randn(bands, PATCH, channels) * PATCH**-0.5)
        self.detail = nn.Parameter(torch.randn(bands, PATCH * widest, channels) * 0.02)
        self.bias = nn.Parameter(torch.zeros(bands, 1, channels))

    def forward(self, x: Tensor) -> Tensor:
        batch, _, frames = x.shape
        level = torch.einsum("bft,fk->kbt", x, self.mean)
        detail = x.transpose(0, 1)[self.bins_of_band] - level[:, None]  # (bands, widest, b, t)
        detail = detail * self.inside[:, :, None, None]
        steps = frames // PATCH
        rows = level.reshape(len(level), batch * steps, PATCH)
        fine = detail.reshape(*self.inside.shape, batch * steps, PATCH).permute(0, 2, 3, 1)
        y = torch.baddbmm(self.bias, rows, self.level)
        y = torch.baddbmm(y, fine.reshape(*rows.shape[:2], -1), self.detail)
        return y.view(len(level), batch, steps, -1).permute(1, 3, 0, 2)


class BandMerge(nn.Module):
    """(batch, channels, bands, steps) -> (batch, BINS, steps * PATCH): the way back."""

    slot_of_bin: Tensor

    def __init__(self, edges: list[int], channels: int) -> None:
        super().__init__()
        _, inside = padded_bands(edges)
        self.register_buffer("slot_of_bin", inside.flatten().nonzero().squeeze(1), persistent=False)
        bands, widest = inside.shape
        self.weight = nn.Parameter(torch.randn(bands, channels, PATCH * widest) * 0.05)
        self.bias = nn.Parameter(torch.zeros(bands, 1, PATCH * widest))

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, bands, steps = x.shape
        rows = x.permute(2, 0, 3, 1).reshape(bands, batch * steps, channels)
        y = torch.baddbmm(self.bias, rows, self.weight)
        y = y.view(bands, batch, steps * PATCH, -1).permute(0, 3, 1, 2).flatten(0, 1)
        return y[self.slot_of_bin].transpose(0, 1)


class ConvPair(nn.Module):
    """Two 3x3 convolutions with batch norm, and a shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.norm1(self.conv1(x)), 0.1)
        return F.leaky_relu(self.norm2(self.conv2(x)) + x, 0.1)


class FilmConvPair(ConvPair):
    """A ConvPair whose normalised features the query scales and shifts."""

    def __init__(self, inputs: int, outputs: int, query: int = 256) -> None:
        super().__init__(inputs, outputs)
        self.film1 = nn.Linear(query, 2 * outputs)
        self.film2 = nn.Linear(query, 2 * outputs)

    def forward(self, x: Tensor, query: Tensor | None = None) -> Tensor:
        assert query is not None
        x = F.leaky_relu(film(self.norm1(self.conv1(x)), self.film1(query)), 0.1)
        return F.leaky_relu(film(self.norm2(self.conv2(x)), self.film2(query)) + x, 0.1)


class TimeContext(nn.Module):
    """A bidirectional GRU over time at the deepest level, added to its input."""

    def __init__(self, channels: int, bands: int, hidden: int) -> None:
        super().__init__()
        self.reduce = nn.Linear(channels * bands, 2 * hidden)
        self.rnn = nn.GRU(2 * hidden, hidden, batch_first=True, bidirectional=True)
        self.expand = nn.Linear(2 * hidden, channels * bands)

    def forward(self, x: Tensor) -> Tensor:
        rows = F.leaky_relu(self.reduce(x.flatten(1, 2).transpose(1, 2)), 0.1)
        y: Tensor = self.expand(self.rnn(rows)[0]).transpose(1, 2)
        return x + y.view(x.shape)


def fit_bins(masks: Tensor, bins: int) -> Tensor:
    """Cut a mask of BINS to a lower rate, or extend its top bin up to a higher rate."""
    if bins <= BINS:
        return masks[..., :bins, :]
    top = masks[..., -1:, :].expand(*masks.shape[:-2], bins - BINS, masks.shape[-1])
    return torch.cat([masks, top], dim=-2)


def film(x: Tensor, scale_and_shift: Tensor) -> Tensor:
    """Scale and shift every channel of (batch, channels, bands, steps)."""
    scale, shift = scale_and_shift[:, :, None, None].chunk(2, dim=1)
    return x * (1 + scale) + shift


def repeat(x: Tensor, queries: int) -> Tensor:
    """(batch, ...) -> (batch * queries, ...), each item `queries` times in a row."""
    return x if queries == 1 else x.repeat_interleave(queries, dim=0)


def padded_bands(edges: list[int]) -> tuple[Tensor, Tensor]:
    """Bins of every band, padded to the widest: indices and 0/1, both (bands, widest)."""
    widest = max(b - a for a, b in pairwise(edges))
    bins = torch.tensor(edges[:-1])[:, None] + torch.arange(widest)
    inside = bins < torch.tensor(edges[1:])[:, None]
    return bins.clamp(max=edges[-1] - 1), inside.float()
