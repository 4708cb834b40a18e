"""The text-conditioned U-Net of BiModalAudioSeparation, with the keys of its checkpoints.

    waveform -> spectrogram (64 ms, 16 ms) -> log(1 + magnitude) -> 7 halvings, the deeper ones
             attending to the query's words -> 7 doublings -> 32 maps
             -> maps weighted by the query and summed -> sigmoid mask -> filtered waveform

Mahmud, Amizadeh, Koishida and Marculescu: "Weakly-supervised Audio Separation via Bi-modal
Semantic Similarity", ICLR 2024, arXiv 2404.01740. Sizes follow its public code.

A query enters at the levels that attend to its words, four halvings down, and in the sum of the
maps. What comes before is computed once for queries that are decoded together: the encoder down
to 32 x 32, and of each outer decoder level's widest convolution the half that reads the encoder.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sepcli.errors import ModelError
from sepcli.nets.band_unet import repeat
from sepcli.nets.bimodal_attention import SelfThenCrossAttention

SAMPLE_RATE = 16_000  # Hz
WINDOW = 1022  # samples, 64 ms: 512 bins
BINS = WINDOW // 2 + 1
HOP = 256  # samples, 16 ms
SLOPE = 0.2  # of the leaky rectifiers
SHARED_LEVELS = 4  # outermost ones, which no query reaches on the way down
WIDEST = 8  # channels of the deep levels, in units of the outermost level's
PAIRS_AT_ONCE = 4  # windows x queries decoded together: 0.65 GB each for 8 s


class BimodalUNet(nn.Module):
    """Separates what a text describes from mono recordings at 16 kHz.

    Args:
        ngf: channels of the outermost level.
        num_downs: levels; all from the fifth on attend to the words.
        num_res_layers: convolutions in each residual block.
        heads: of the attention; cannot be told from a checkpoint.
        channels: maps that a query weights to make a mask.
        cond_dim: length of a word's vector.
        pooled: length of the vector of the whole text.

    Raises:
        ValueError: if `num_downs` leaves no level that attends, or asks for more halvings than
            there are bins; or if the heads cannot share the channels evenly.
    """

    def __init__(
        self,
        ngf: int = 64,
        num_downs: int = 7,
        num_res_layers: int = 1,
        heads: int = 8,
        channels: int = 32,
        cond_dim: int = 768,
        pooled: int = 512,
    ) -> None:
        super().__init__()
        if not SHARED_LEVELS < num_downs < BINS.bit_length():
            raise ValueError(f"num_downs must be from 5 to 9, not {num_downs}")
        self.cond_dim, self.pooled = cond_dim, pooled
        self.multiple = 1 << num_downs
        self.net_sound = UNet(ngf, num_downs, num_res_layers, heads, channels, cond_dim)
        self.net_synthesizer = WeightedSum(channels)
        self.net_clap = Gate(pooled, channels)

    def forward(self, mixture: Tensor, queries: Tensor, rate: int) -> tuple[Tensor, None]:
        """Filter a batch of windows by every query.

        Args:
            mixture: (batch, channels, samples); channels are heard one by one.
            queries: (queries, packed), see `unpack`.
            rate: `SAMPLE_RATE`, in Hz.

        Returns:
            stems (batch, queries, channels, samples); and None, for the network cannot say
            whether what it is asked for is there.

        Raises:
            ModelError: at another rate, or if the queries are of another size.
        """
        if rate != SAMPLE_RATE:
            message = f"a BiModal U-Net was given {rate} Hz, not {SAMPLE_RATE}"
            raise ModelError(message, f"set `sample_rate: {SAMPLE_RATE}` in its registry entry")
        spec = stft(mixture.flatten(0, 1))
        masks = self.all_masks(spec.abs(), queries)
        stems = istft(masks * spec[:, None], mixture.shape[-1])
        return stems.unflatten(0, mixture.shape[:2]).transpose(1, 2), None

    def all_masks(self, magnitude: Tensor, queries: Tensor) -> Tensor:
        """Masks of every item for every query, a few queries at a time to bound memory.

        Args:
            magnitude: (items, BINS, frames).
            queries: (queries, packed).

        Returns:
            (items, queries, BINS, frames), from 0 to 1.
        """
        at_once = max(1, PAIRS_AT_ONCE // len(magnitude))
        if self.training:  # batch normalisation must see all that it normalises
            at_once = len(queries)
        parts = [part.expand(len(magnitude), -1, -1) for part in queries.split(at_once)]
        return torch.cat([self.masks(magnitude, part).sigmoid() for part in parts], dim=1)

    def masks(self, magnitude: Tensor, queries: Tensor) -> Tensor:
        """Mask logits. The mask is a ratio of linear magnitudes.

        Args:
            magnitude: (items, BINS, frames), of `stft`.
            queries: (items, queries, packed), every item's own.

        Returns:
            (items, queries, BINS, frames)
        """
        frames = magnitude.shape[-1]
        words, texts = self.unpack(queries.flatten(0, 1))
        padded = F.pad(magnitude, (0, -frames % self.multiple)).log1p()
        maps = self.net_sound(padded[:, None], words)[..., :frames]
        logits: Tensor = self.net_synthesizer(maps, self.net_clap(texts))
        return logits.view(*queries.shape[:2], *logits.shape[1:])

    def unpack(self, packed: Tensor) -> tuple[Tensor, Tensor]:
        """The vectors of a query's words, and that of its whole text.

        A packed query is the words' vectors, one after another, and then the text's vector of
        length 1. That length gives away by what the whole was scaled, and undoes it.

        Args:
            packed: (queries, words * cond_dim + pooled).

        Returns:
            (queries, words, cond_dim) and (queries, pooled)
        """
        size = packed.shape[-1] - self.pooled
        if size <= 0 or size % self.cond_dim:
            wanted = f"a multiple of {self.cond_dim} and {self.pooled}"
            message = f"a BiModal U-Net was given queries of {packed.shape[-1]}, not {wanted}"
            raise ModelError(message, "set `encoder: laion-clap-tokens` in its registry entry")
        scale = packed[:, size:].norm(dim=-1, keepdim=True)
        words, text = (packed / scale).split([size, self.pooled], dim=-1)
        return words.reshape(len(words), -1, self.cond_dim), text


class UNet(nn.Module):
    """Spectrograms (items, 1, bins, frames) to maps (pairs, channels, bins, frames).

    Words are (pairs, words, word): as many pairs per item as it has queries, those of the first
    item first. Bins and frames are multiples of 2 ** num_downs.
    """

    def __init__(
        self, ngf: int, num_downs: int, num_res_layers: int, heads: int, channels: int, word: int
    ) -> None:
        super().__init__()
        self.bn0 = nn.BatchNorm2d(1)
        widths = [1, *(ngf * min(1 << level, WIDEST) for level in range(num_downs))]
        below = None
        for level in reversed(range(1, num_downs)):
            inputs, width = widths[level : level + 2]
            attends = level >= SHARED_LEVELS
            attention = SelfThenCrossAttention(width, word, heads) if attends else None
            below = Level(inputs, width, num_res_layers, attention, below)
        self.unet_block = Level(1, ngf, num_res_layers, None, below, channels)

    def forward(self, x: Tensor, words: Tensor) -> Tensor:
        maps: Tensor = self.unet_block(self.bn0(x), words)
        return maps


class Level(nn.Module):
    """Halves a map, has the level below work on it, and doubles what comes of it.

    Args:
        inputs: channels of the map.
        width: channels at half the size.
        layers: convolutions in each residual block.
        attention: to the words, at half the size.
        submodule: the level below; None for the innermost.
        outputs: channels that the outermost level gives, of any sign; None for the others, which
            give as many as they were given, normalised and rectified.
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        layers: int,
        attention: SelfThenCrossAttention | None,
        submodule: Level | None,
        outputs: int | None = None,
    ) -> None:
        super().__init__()
        self.downconv = nn.Conv2d(inputs, width, 4, stride=2, padding=1, bias=False)
        self.downnorm = nn.BatchNorm2d(width)
        self.downresblock = ResBlock(width, layers)
        self.ca_blocks = nn.ModuleList([attention] if attention else [])
        self.submodule = submodule
        joined = 2 * width if submodule else width
        self.upresblock = ResBlock(joined, layers)
        self.upconv = nn.Conv2d(joined, outputs or inputs, 3, padding=1, bias=outputs is not None)
        self.upnorm = None if outputs else nn.BatchNorm2d(inputs)

    def forward(self, x: Tensor, words: Tensor) -> Tensor:
        """(items or pairs, inputs, 2 h, 2 w) -> (pairs, outputs, 2 h, 2 w)."""
        deep = self.downresblock(F.leaky_relu(self.downnorm(self.downconv(x)), SLOPE))
        for attention in self.ca_blocks:
            deep = attention(repeat(deep, len(words) // len(deep)), words)
        parts = [deep] if self.submodule is None else [deep, self.submodule(deep, words)]
        y: Tensor = self.upconv(self.upresblock(*map(doubled, parts)))
        return y if self.upnorm is None else F.relu(self.upnorm(y))


class ResBlock(nn.Module):
    """Convolutions with batch norm, and a shortcut; without any, it changes nothing.

    Args:
        width: channels of all parts together.
        layers: number of convolutions.
    """

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.res_layers = nn.ModuleList(ResLayer(width) for _ in range(layers))

    def forward(self, *parts: Tensor) -> Tensor:
        """Parts (items or pairs, some of the channels, h, w) -> (pairs, width, h, w)."""
        x = joined(parts)
        if not self.res_layers:
            return x
        first, *more = self.res_layers
        y = first(*parts)
        for layer in more:
            y = layer(F.leaky_relu(y, SLOPE))
        return F.leaky_relu(y + x, SLOPE)


class ResLayer(nn.Sequential):
    """A convolution and batch norm of a map that comes in parts."""

    def __init__(self, width: int) -> None:
        super().__init__(JointConv2d(width, width, 3, padding=1), nn.BatchNorm2d(width))

    def forward(self, *parts: Tensor) -> Tensor:
        conv, norm = self
        y: Tensor = norm(conv(*parts))
        return y


class JointConv2d(nn.Conv2d):
    """Convolves a map of pairs whose first channels may be the same for all pairs of an item.

    A convolution is linear in its input channels: with the kernel split as the channels are,
    conv([a, b]) = conv_a(a) + conv_b(b), and conv_a(a) is computed once per item.
    """

    def forward(self, *parts: Tensor) -> Tensor:
        """(items, some channels, h, w), (pairs, the others, h, w) -> (pairs, channels, h, w)."""
        *shared, own = parts
        if not shared:
            return super().forward(own)
        kernels = self.weight.split([part.shape[1] for part in parts], dim=1)
        once = F.conv2d(shared[0], kernels[0], self.bias, padding=self.padding)
        each = F.conv2d(own, kernels[1], padding=self.padding)
        return (each.view(len(once), -1, *once.shape[1:]) + once[:, None]).view(each.shape)


class WeightedSum(nn.Module):
    """Maps (pairs, channels, bins, frames) and weights (pairs, channels) to logits, one per bin."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, maps: Tensor, weights: Tensor) -> Tensor:
        """(pairs, bins, frames)"""
        return torch.einsum("pc,pcft->pft", self.scale * weights, maps) + self.bias


class Gate(nn.Module):
    """The vector of a text to the weights, from 0 to 1, of the maps."""

    def __init__(self, text: int, channels: int) -> None:
        super().__init__()
        self.fc = nn.Linear(text, channels)
        nn.init.normal_(self.fc.weight, std=1e-4)  # in the beginning all maps count alike

    def forward(self, text: Tensor) -> Tensor:
        weights: Tensor = self.fc(text).sigmoid()
        return weights


def joined(parts: Sequence[Tensor]) -> Tensor:
    """Parts as channels of one map; an item's is repeated for each of its pairs."""
    pairs = len(parts[-1])
    return torch.cat([repeat(part, pairs // len(part)) for part in parts], dim=1)


def doubled(x: Tensor) -> Tensor:
    """Twice as many bins and frames, the corners staying where they are."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=True)


def stft(wave: Tensor) -> Tensor:
    """(items, samples), at least one -> complex (items, BINS, samples // HOP + 1)."""
    # Mirroring the edges takes more samples than half a window: silence makes up for them.
    wave = F.pad(wave, (0, max(0, BINS - wave.shape[-1])))
    window = torch.hann_window(WINDOW, dtype=wave.dtype, device=wave.device)
    return torch.stft(wave, WINDOW, HOP, window=window, return_complex=True)


def istft(spec: Tensor, samples: int) -> Tensor:
    """The inverse of `stft`: (items, queries, BINS, frames) -> (items, queries, samples)."""
    window = torch.hann_window(WINDOW, dtype=spec.real.dtype, device=spec.device)
    wave = torch.istft(spec.flatten(0, 1), WINDOW, HOP, window=window, length=samples)
    return wave.view(*spec.shape[:2], samples)
