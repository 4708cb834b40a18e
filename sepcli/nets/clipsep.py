"""CLIPSep: a spectrogram U-Net whose maps a picture or a text weights, with its checkpoints' keys.

    waveform -> spectrogram (64 ms, 16 ms) -> log magnitude on 256 log-frequency rows
             -> 7 halvings, 7 doublings -> 32 maps
             -> maps weighted by the query and summed -> sigmoid mask
             -> warped back to linear frequency -> filtered waveform

The query enters in the sum only: one pass of the U-Net serves any number of queries. A query is
CLIP's embedding of a picture or a text, of the length that CLIP gives it. Two noise heads, which
training uses and separation does not, weight the maps for what no query accounts for.

Dong, Takahashi, Mitsufuji, McAuley and Berg-Kirkpatrick: "CLIPSep: Learning Text-queried Sound
Separation with Noisy Unlabeled Videos", ICLR 2023, arXiv 2212.07065. Names of layers are those of
its public checkpoints; the warp is that of Zhao et al., "The Sound of Pixels", ECCV 2018.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sepcli.errors import ModelError

SAMPLE_RATE = 16_000  # Hz
ROWS = 256  # of log frequency
SPAN = 21.0  # the top row spans this many times the frequency that the bottom one does
FAINTEST = 1e-10  # added to magnitudes
SLOPE = 0.2  # of the leaky rectifiers
WIDEST = 8  # channels of the deep levels, in units of the outermost level's
NOISE_HEADS = 2


class ClipSep(nn.Module):
    """Separates what pictures show or texts describe from mono recordings at 16 kHz.

    Args:
        embedding: length of a query.
        layers: halvings.
        channels: maps that a query weights to make a mask.
        ngf: channels of the outermost level.
        noise_heads: whether it has the heads of noise-invariant training.
        n_fft: length of a frame in samples.
        hop: distance of frames in samples.

    Raises:
        ValueError: if there are too few layers, or more than the rows can be halved.
    """

    def __init__(
        self,
        embedding: int = 512,
        layers: int = 7,
        channels: int = 32,
        ngf: int = 64,
        noise_heads: bool = True,
        n_fft: int = 1024,
        hop: int = 256,
    ) -> None:
        super().__init__()
        if not 5 <= layers < ROWS.bit_length():
            raise ValueError(f"layers must be from 5 to 8, not {layers}")
        self.embedding, self.n_fft, self.hop = embedding, n_fft, hop
        self.multiple = 1 << layers
        self.sound_net = UNet(ngf, layers, channels)
        self.frame_net = nn.Linear(embedding, channels)
        self.pit_nets = nn.ModuleList(
            nn.Linear(channels, channels) for _ in range(NOISE_HEADS if noise_heads else 0)
        )
        self.synth_net = WeightedSum(channels)

    def grid(self, _rate: int) -> int:
        """Samples whose frames end in one column at the bottom of the U-Net."""
        return self.multiple * self.hop

    def forward(self, mixture: Tensor, queries: Tensor, rate: int) -> tuple[Tensor, None]:
        """Filter a batch of windows by every query.

        Args:
            mixture: (batch, channels, samples); channels are heard one by one.
            queries: (queries, embedding).
            rate: `SAMPLE_RATE`, in Hz.

        Returns:
            stems (batch, queries, channels, samples); and None, for the network cannot say
            whether what it is asked for is there.

        Raises:
            ModelError: at another rate, or if the queries are of another length.
        """
        self._check(queries, rate)
        spec = self.stft(mixture.flatten(0, 1))
        logits = self.logits(spec.abs(), queries.expand(len(spec), -1, -1))
        masks = self.on_bins(logits.sigmoid())
        stems = self.istft(masks * spec[:, None], mixture.shape[-1])
        return stems.unflatten(0, mixture.shape[:2]).transpose(1, 2), None

    def logits(self, magnitude: Tensor, queries: Tensor) -> Tensor:
        """Mask logits, every item's own queries.

        Args:
            magnitude: (items, n_fft / 2 + 1, frames), of `stft`.
            queries: (items, queries, embedding).

        Returns:
            (items, queries, rows, frames)
        """
        gates = self.frame_net(queries).sigmoid()
        logits: Tensor = self.synth_net(self.maps(self.on_rows(magnitude)), gates)
        return logits

    def logits_and_noise(self, rows: Tensor, queries: Tensor) -> tuple[Tensor, Tensor]:
        """Mask logits of the queries, and of the noise heads, which hear all queries at once.

        Args:
            rows: (items, rows, frames), of `on_rows`.
            queries: (items, queries, embedding).

        Returns:
            (items, queries, rows, frames) and (items, noise heads, rows, frames)
        """
        asked = self.frame_net(queries)
        gates = [asked, *(head(asked.mean(dim=1, keepdim=True)) for head in self.pit_nets)]
        logits = self.synth_net(self.maps(rows), torch.cat(gates, dim=1).sigmoid())
        wanted, noise = logits.split([queries.shape[1], len(self.pit_nets)], dim=1)
        return wanted, noise

    def maps(self, rows: Tensor) -> Tensor:
        """(items, rows, frames), magnitudes -> (items, channels, rows, frames)."""
        frames = rows.shape[-1]
        padded = F.pad(rows, (0, -frames % self.multiple), value=FAINTEST)
        maps: Tensor = self.sound_net(padded.log()[:, None])
        return maps[..., :frames]

    def on_rows(self, magnitude: Tensor) -> Tensor:
        """Magnitudes as the U-Net sees them, (..., bins, frames) -> (..., rows, frames)."""
        return to_log_rows(magnitude + FAINTEST, ROWS)

    def on_bins(self, masks: Tensor) -> Tensor:
        """Masks of rows as masks of bins, (..., rows, frames) -> (..., bins, frames)."""
        return to_linear_bins(masks, self.n_fft // 2 + 1)

    def stft(self, wave: Tensor) -> Tensor:
        """(items, samples) -> complex (items, n_fft / 2 + 1, samples // hop + 1)."""
        # Mirroring the edges takes more samples than half a window: silence makes up for them.
        wave = F.pad(wave, (0, max(0, self.n_fft // 2 + 1 - wave.shape[-1])))
        return torch.stft(
            wave, self.n_fft, self.hop, window=self._window(wave), return_complex=True
        )

    def istft(self, spec: Tensor, samples: int) -> Tensor:
        """The inverse of `stft`: (..., bins, frames) -> (..., samples)."""
        flat = spec.flatten(0, -3)
        window = self._window(flat.real)
        wave = torch.istft(flat, self.n_fft, self.hop, window=window, length=samples)
        return wave.view(*spec.shape[:-2], samples)

    def _window(self, like: Tensor) -> Tensor:
        return torch.hann_window(self.n_fft, dtype=like.dtype, device=like.device)

    def _check(self, queries: Tensor, rate: int) -> None:
        if rate != SAMPLE_RATE:
            message = f"a CLIPSep was given {rate} Hz, not {SAMPLE_RATE}"
            raise ModelError(message, f"set `sample_rate: {SAMPLE_RATE}` in its registry entry")
        if queries.shape[-1] != self.embedding:
            message = f"a CLIPSep for queries of {self.embedding} was given {queries.shape[-1]}"
            raise ModelError(message, "correct the encoder or `clip` in its registry entry")


class UNet(nn.Module):
    """Log magnitudes (items, 1, rows, frames) to maps (items, channels, rows, frames).

    Rows and frames are multiples of 2 ** layers.
    """

    def __init__(self, ngf: int, layers: int, channels: int) -> None:
        super().__init__()
        self.bn0 = nn.BatchNorm2d(1)
        widths = [ngf * min(1 << level, WIDEST) for level in range(layers)]
        below: Level | None = None
        for level in reversed(range(1, layers)):
            below = Level(widths[level - 1], widths[level], below)
        assert below is not None
        self.unet_block = Outermost(ngf, below, channels)

    def forward(self, x: Tensor) -> Tensor:
        maps: Tensor = self.unet_block(self.bn0(x))
        return maps


class Level(nn.Module):
    """Halves a map, has the level below work on it, and puts what comes of it beside the map.

    Args:
        outer: channels of the map.
        inner: channels at half the size.
        below: the next level, which doubles the channels; None for the innermost.
    """

    def __init__(self, outer: int, inner: int, below: Level | None) -> None:
        super().__init__()
        middle: list[nn.Module] = [] if below is None else [nn.BatchNorm2d(inner), below]
        self.model = nn.Sequential(
            nn.LeakyReLU(SLOPE),
            halving(outer, inner),
            *middle,
            nn.ReLU(),
            doubling(),
            nn.Conv2d(inner if below is None else 2 * inner, outer, 3, padding=1, bias=False),
            nn.BatchNorm2d(outer),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(items, outer, 2 h, 2 w) -> (items, 2 outer, 2 h, 2 w)."""
        return torch.cat([x, self.model(x)], dim=1)


class Outermost(nn.Module):
    """The level that meets the spectrogram: without normalisation, and with a bias in the end."""

    def __init__(self, inner: int, below: Level, outputs: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            halving(1, inner),
            below,
            nn.ReLU(),
            doubling(),
            nn.Conv2d(2 * inner, outputs, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        maps: Tensor = self.model(x)
        return maps


class WeightedSum(nn.Module):
    """Maps (items, channels, rows, frames) and gates (items, queries, channels) to logits."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, maps: Tensor, gates: Tensor) -> Tensor:
        """(items, queries, rows, frames)"""
        return torch.einsum("iqc,icft->iqft", self.scale * gates, maps) + self.bias


def halving(inputs: int, outputs: int) -> nn.Conv2d:
    """A convolution to half the rows and frames."""
    return nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False)


def doubling() -> nn.Upsample:
    """Twice as many rows and frames, the corners staying where they are."""
    return nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)


def to_log_rows(magnitude: Tensor, rows: int) -> Tensor:
    """Linear frequency to log frequency, by interpolation between neighbouring bins.

    With u from 0 at the lowest row to 1 at the highest, and v from -1 to 1 over the bins, row u
    is taken at v = (SPAN ** u - 11) / 10: the rows' distance grows 21-fold from bottom to top.

    Args:
        magnitude: (..., bins, frames).
        rows: how many.

    Returns:
        (..., rows, frames)
    """
    u = torch.linspace(0, 1, rows, dtype=torch.float64, device=magnitude.device)
    return interpolated(magnitude, (SPAN**u - 11) / 10)


def to_linear_bins(rows: Tensor, bins: int) -> Tensor:
    """The way back: bin v from -1 to 1 is taken at 2 ln(10 v + 11) / ln(SPAN) - 1.

    Args:
        rows: (..., rows, frames).
        bins: how many.

    Returns:
        (..., bins, frames); what was between neighbouring rows or bins comes back blurred.
    """
    v = torch.linspace(-1, 1, bins, dtype=torch.float64, device=rows.device)
    return interpolated(rows, 2 * torch.log(10 * v + 11) / math.log(SPAN) - 1)


def interpolated(x: Tensor, places: Tensor) -> Tensor:
    """Linear interpolation along the last axis but one.

    Args:
        x: (..., n, frames).
        places: (m,), from -1 at the first of the n to 1 at the last.

    Returns:
        (..., m, frames)
    """
    last = x.shape[-2] - 1
    position = ((places + 1) / 2 * last).clamp(0, last)
    low = position.floor().clamp(max=last - 1)
    part = (position - low).to(x.dtype)[:, None]
    index = low.long()
    return x[..., index, :] * (1 - part) + x[..., index + 1, :] * part
