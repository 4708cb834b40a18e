"""TIGER's bands: narrow where speech and music are dense, wide above; in and out of them.

A spectrogram is cut into bands that follow a grid in Hz (Xu et al., 2025, "TIGER: Time-frequency
Interleaved Gain Extraction and Reconstruction for Efficient Speech Separation", section 3.2).
Edges are rounded down to bins, band by band, and what is left at the top is one band more:
real edges drift below the grid, and the bins, not the Hz, are what checkpoints were trained with.

Every band has layers of its own, which checkpoints hold one by one. Neighbours of one width are
computed together: their weights are stacked, and a run of bands is one matrix product.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GRIDS = {
    16_000: ((25.0, 40), (100.0, 10), (250.0, 8), (500.0, 8)),
    44_100: ((50.0, 20), (100.0, 10), (250.0, 8), (500.0, 8), (1000.0, 8), (2000.0, 2)),
}  # sample rate, Hz -> (width of a band in Hz, how many), lowest first
EPSILON = torch.finfo(torch.float32).eps  # added to variances


@dataclass(frozen=True)
class Run:
    """Neighbouring bands of one width.

    Attributes:
        band: number of the first band.
        count: of bands.
        width: bins of a band.
        start: first bin.
    """

    band: int
    count: int
    width: int
    start: int

    @property
    def bands(self) -> slice:
        """Their numbers."""
        return slice(self.band, self.band + self.count)

    @property
    def bins(self) -> slice:
        """Their bins."""
        return slice(self.start, self.start + self.count * self.width)


def band_widths(rate: int, bins: int) -> list[int]:
    """Bins of every band, lowest first.

    Args:
        rate: a sample rate in GRIDS, Hz.
        bins: of the spectrogram.

    Raises:
        ValueError: at another rate, or if the bins are too few for the grid.
    """
    if rate not in GRIDS:
        known = " or ".join(map(str, GRIDS))
        raise ValueError(f"TIGER has bands for {known} Hz, not for {rate}")
    widths = [
        math.floor(hertz / (rate / 2) * bins) for hertz, count in GRIDS[rate] for _ in range(count)
    ]
    rest = bins - sum(widths)
    if min(*widths, rest) < 1:
        raise ValueError(f"{bins} bins are too few for TIGER's bands at {rate} Hz")
    return [*widths, rest]


def runs_of(widths: Sequence[int]) -> list[Run]:
    """Bands grouped by width."""
    runs: list[Run] = []
    band = start = 0
    for width, group in groupby(widths):
        runs.append(Run(band, len(list(group)), width, start))
        band, start = band + runs[-1].count, runs[-1].bins.stop
    return runs


class BandSplit(nn.ModuleList):
    """A spectrogram to features of every band: normalised, then mixed linearly.

    Args:
        widths: bins of every band.
        features: of a band.
    """

    def __init__(self, widths: Sequence[int], features: int) -> None:
        super().__init__(
            nn.Sequential(
                nn.GroupNorm(1, 2 * width, eps=EPSILON), nn.Conv1d(2 * width, features, 1)
            )
            for width in widths
        )
        self.runs = runs_of(widths)

    def forward(self, spec: Tensor) -> Tensor:
        """(items, bins, frames), complex -> (items, bands, features, frames)."""
        return torch.cat([self._features(spec[:, run.bins], run) for run in self.runs], dim=1)

    def _features(self, spec: Tensor, run: Run) -> Tensor:
        """Of a run: all of a band's real parts are channels, then all of its imaginary ones."""
        parts = torch.view_as_real(spec).unflatten(1, (run.count, run.width))
        x = parts.permute(0, 1, 4, 2, 3).flatten(2, 3)  # items, bands, 2 width, frames
        x = F.layer_norm(x, x.shape[2:], eps=EPSILON)  # one group: over channels and frames
        scale, shift = stacked(self, run, 0)
        weight, bias = stacked(self, run, 1)
        # The norm's scale and shift go into the product: W (scale x + shift) + bias.
        weight = weight[..., 0]
        bias = bias + (weight @ shift[..., None])[..., 0]
        return (weight * scale[:, None]) @ x + bias[..., None]


class BandMasks(nn.ModuleList):
    """Features of every band to complex masks, which sum to 1 over the sources.

    Args:
        widths: bins of every band.
        features: of a band, a multiple of `sources`.
        sources: how many masks.
    """

    def __init__(self, widths: Sequence[int], features: int, sources: int) -> None:
        super().__init__(
            nn.Sequential(nn.PReLU(), nn.Conv1d(features, 4 * width * sources, 1, groups=sources))
            for width in widths
        )
        self.runs, self.sources = runs_of(widths), sources

    def forward(self, features: Tensor) -> Tensor:
        """(items, bands, features, frames) -> (items, sources, bins, frames), complex."""
        masks = [self._masks(features[:, run.bands], run) for run in self.runs]
        return torch.cat(masks, dim=2)

    def _masks(self, x: Tensor, run: Run) -> Tensor:
        (slope,) = stacked(self, run, 0)
        weight, bias = stacked(self, run, 1)
        x = F.prelu(x, slope.flatten()).unflatten(2, (self.sources, -1))
        # Groups of the convolution are no sources: their outputs are read in another order.
        y = weight[..., 0].unflatten(1, (self.sources, -1)) @ x
        y = y.to(torch.promote_types(y.dtype, torch.float32))  # no complex numbers of 16 bits
        y = y.flatten(2, 3) + bias[..., None]
        value, gate = y.unflatten(2, (2, 2, self.sources, run.width)).unbind(2)
        parts = summing_to_one(value * gate.sigmoid())  # items, bands, 2, sources, width, frames
        masks = torch.complex(parts[:, :, 0], parts[:, :, 1])
        return masks.transpose(1, 2).flatten(2, 3)


def summing_to_one(parts: Tensor) -> Tensor:
    """The nearest masks that sum to 1 over the sources.

    Args:
        parts: (items, bands, real and imaginary, sources, ...).

    Returns:
        of the same shape: what the real parts sum to beyond 1, and the imaginary ones beyond 0,
        is taken from all sources alike.
    """
    wanted = parts.new_tensor([1.0, 0.0])[:, None, None, None]
    excess = parts.sum(dim=3, keepdim=True) - wanted
    return parts - excess / parts.shape[3]


def stacked(bands: nn.ModuleList, run: Run, layer: int) -> list[Tensor]:
    """The parameters of one layer of a run's bands, (bands, ...) each."""
    layers = [band[layer] for band in list(bands)[run.bands]]  # type: ignore[index]
    return [torch.stack(same) for same in zip(*(p.parameters() for p in layers), strict=True)]
