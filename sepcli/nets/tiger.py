"""TIGER, which separates speakers, and TIGER-DnR, which parts films into dialogue, music, effects.

    waveform -> spectrogram -> bands -> blocks of one set of weights: attention over bands, then
             over frames -> complex masks that sum to 1 -> filtered waveform

Xu, Li, Chen and Hu: "TIGER: Time-frequency Interleaved Gain Extraction and Reconstruction for
Efficient Speech Separation", ICLR 2025, arXiv 2410.01469. Names of layers, and of the arguments,
are those of the published checkpoints and their config.json.

The mixture enters again before every block but the first. All blocks share their weights, so
their number costs time alone, but weights serve the number that they were trained with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state
from torch.nn import functional as F

from sepcli.errors import ModelError
from sepcli.nets.tiger_attention import AxisAttention, ChannelNorm
from sepcli.nets.tiger_bands import BandMasks, BandSplit, band_widths
from sepcli.nets.tiger_scales import MultiScale

FILM = {"win": 2048, "stride": 512, "sample_rate": 44_100, "out_channels": 132, "num_sources": 3}
# Net -> which of its three outputs it was trained for; in the order of the stems.
FILM_NETS = {"dialog": 2, "music": 0, "effect": 1}
ONE_BY_ONE = ("cpu",)  # devices on which several nets are faster in turn


class Tiger(nn.Module):
    """Separates mono mixtures into sources without an order of their own.

    Args:
        out_channels: features of a band.
        in_channels: features inside a block's multi-scale part.
        num_blocks: how often the block is applied.
        upsampling_depth: lengths that its multi-scale part looks at, 3 or more.
        att_n_head: heads of its attention.
        att_hid_chan: channels of a head's queries and keys.
        win: samples of a frame.
        stride: samples between frames.
        num_sources: stems; divides `out_channels`.
        sample_rate: 16000 or 44100, Hz.

    Raises:
        ValueError: if sizes do not go together, see `band_widths`, `MultiScale`, `AxisAttention`.
    """

    def __init__(
        self,
        out_channels: int = 128,
        in_channels: int = 256,
        num_blocks: int = 8,
        upsampling_depth: int = 5,
        att_n_head: int = 4,
        att_hid_chan: int = 4,
        win: int = 640,
        stride: int = 160,
        num_sources: int = 2,
        sample_rate: int = 16_000,
    ) -> None:
        super().__init__()
        if num_blocks < 1:
            raise ValueError(f"num_blocks must be 1 or more, not {num_blocks}")
        self.win, self.stride, self.rate = win, stride, sample_rate
        self.pooling = 1 << (upsampling_depth - 1)
        widths = band_widths(sample_rate, win // 2 + 1)
        self.BN = BandSplit(widths, out_channels)
        self.separator = Separator(
            num_blocks,
            (out_channels, in_channels, upsampling_depth),
            (out_channels, att_n_head, att_hid_chan),
        )
        self.mask = BandMasks(widths, out_channels, num_sources)

    def grid(self, _rate: int) -> int:
        """Samples whose frames are pooled into one."""
        return self.pooling * self.stride

    def forward(
        self,
        mixture: Tensor,
        queries: Tensor | None,  # noqa: ARG002  # all networks are called alike
        rate: int,
    ) -> tuple[Tensor, None]:
        """Separate a batch of windows.

        Args:
            mixture: (batch, channels, samples); channels are heard one by one.
            queries: none are answered.
            rate: `sample_rate`, in Hz.

        Returns:
            stems (batch, num_sources, channels, samples), which sum to the mixture; and None.

        Raises:
            ModelError: at another rate.
        """
        refuse_rate(rate, self.rate)
        spec = self.stft(mixture.flatten(0, 1))
        stems = self.istft(self.masks(spec) * spec[:, None], mixture.shape[-1])
        return stems.unflatten(0, mixture.shape[:2]).transpose(1, 2), None

    def masks(self, spec: Tensor) -> Tensor:
        """Masks of any magnitude, which sum to 1.

        Args:
            spec: (items, bins, frames), complex, of `stft`.

        Returns:
            (items, num_sources, bins, frames), complex.
        """
        masks: Tensor = self.mask(self.separator(self.BN(spec)))
        return masks

    def stft(self, wave: Tensor) -> Tensor:
        """(items, samples), at least one -> (items, bins, samples // stride + 1), complex."""
        # Mirroring the edges takes more samples than half a frame: silence makes up for them.
        wave = F.pad(wave, (0, max(0, self.win // 2 + 1 - wave.shape[-1])))
        window = torch.hann_window(self.win, dtype=wave.dtype, device=wave.device)
        return torch.stft(wave, self.win, self.stride, window=window, return_complex=True)

    def istft(self, spec: Tensor, samples: int) -> Tensor:
        """The inverse of `stft`: (..., bins, frames) -> (..., samples)."""
        window = torch.hann_window(self.win, dtype=spec.real.dtype, device=spec.device)
        flat = spec.reshape(-1, *spec.shape[-2:])
        wave = torch.istft(flat, self.win, self.stride, window=window, length=samples)
        return wave.view(*spec.shape[:-2], samples)


class TigerDnr(nn.Module):
    """Parts mono films into dialogue, music and effects, by a net for each.

    Each net has three outputs, of which one is meant, so that the stems do not quite sum to the
    mixture.

    Args:
        sizes: of every net, see `Tiger`; those that are left out are the published ones.

    Raises:
        ValueError: as `Tiger`, or if there are other than three sources.
    """

    def __init__(self, **sizes: Any) -> None:
        super().__init__()
        sizes = FILM | sizes
        if sizes["num_sources"] != FILM["num_sources"]:
            raise ValueError(f"num_sources must be 3, not {sizes['num_sources']}")
        self.dialog, self.effect, self.music = (Tiger(**sizes) for _ in range(3))

    def grid(self, rate: int) -> int:
        """Samples whose frames are pooled into one."""
        return self.dialog.grid(rate)

    def forward(
        self,
        mixture: Tensor,
        queries: Tensor | None,  # noqa: ARG002  # all networks are called alike
        rate: int,
    ) -> tuple[Tensor, None]:
        """Separate a batch of windows.

        Args:
            mixture: (batch, channels, samples); channels are heard one by one.
            queries: none are answered.
            rate: `sample_rate`, in Hz.

        Returns:
            stems (batch, 3, channels, samples): dialogue, music, effects; and None.

        Raises:
            ModelError: at another rate.
        """
        refuse_rate(rate, self.dialog.rate)
        spec = self.dialog.stft(mixture.flatten(0, 1))
        stems = self.dialog.istft(self.masks(spec) * spec[:, None], mixture.shape[-1])
        return stems.unflatten(0, mixture.shape[:2]).transpose(1, 2), None

    def masks(self, spec: Tensor) -> Tensor:
        """Each net's mask of the stem that it was trained for.

        A GPU waits for thousands of small steps, and takes each for all nets at once. A CPU has
        none to spare, and does better with one net's numbers in its cache.

        Args:
            spec: (items, bins, frames), complex, of `Tiger.stft`.

        Returns:
            (items, 3, bins, frames), complex.
        """
        nets = [getattr(self, name) for name in FILM_NETS]
        apart = self.training or spec.device.type in ONE_BY_ONE
        masks = [net.masks(spec) for net in nets] if apart else masks_together(nets, spec)
        outputs = FILM_NETS.values()
        return torch.stack([m[:, k] for m, k in zip(masks, outputs, strict=True)], dim=1)


class MasksOf(nn.Module):
    """A net that is called with spectrograms."""

    def __init__(self, net: Tiger) -> None:
        super().__init__()
        self.net = net

    def forward(self, spec: Tensor) -> Tensor:
        return self.net.masks(spec)


def masks_together(nets: Sequence[Tiger], spec: Tensor) -> Tensor:
    """What nets of the same sizes make of one spectrogram, computed side by side.

    Args:
        nets: in evaluation mode.
        spec: (items, bins, frames), complex.

    Returns:
        (nets, items, sources, bins, frames), complex.
    """
    called = [MasksOf(net) for net in nets]
    weights, _ = stack_module_state(called)

    def masks(state: dict[str, Tensor]) -> Tensor:
        of_one: Tensor = functional_call(called[0], state, (spec,))
        return of_one

    made: Tensor = torch.vmap(masks)(weights)
    return made


class Separator(nn.Module):
    """Features of bands x frames, refined block by block.

    Args:
        blocks: how often.
        scales: arguments of `MultiScale`.
        attention: arguments of `AxisAttention`.
    """

    def __init__(
        self, blocks: int, scales: tuple[int, int, int], attention: tuple[int, int, int]
    ) -> None:
        super().__init__()
        features = scales[0]
        self.blocks = blocks
        self.freq_path = Path(scales, attention)
        self.frame_path = Path(scales, attention)
        self.concat_block = nn.Sequential(
            nn.Conv2d(features, features, 1, groups=features), nn.PReLU()
        )

    def forward(self, features: Tensor) -> Tensor:
        """(items, bands, features, frames), and the same."""
        mixture = x = features.transpose(1, 2)  # items, features, bands, frames
        for block in range(self.blocks):
            x = x if block == 0 else self.concat_block(mixture + x)
            x = self.frame_path(self.freq_path(x).transpose(2, 3)).transpose(2, 3)
        return x.transpose(1, 2)


class Path(nn.ModuleList):
    """One axis of a map: multi-scale, then attention, then a norm; added to what came in."""

    def __init__(self, scales: tuple[int, int, int], attention: tuple[int, int, int]) -> None:
        super().__init__([MultiScale(*scales), AxisAttention(*attention), ChannelNorm(scales[0])])

    def forward(self, x: Tensor) -> Tensor:
        """(items, features, axis, others), and the same."""
        scales, attention, norm = self
        items, others = len(x), x.shape[3]
        sequences = x.permute(0, 3, 1, 2).flatten(0, 1)  # items x others, features, axis
        y = scales(sequences).unflatten(0, (items, others)).permute(0, 2, 3, 1)
        found: Tensor = norm(attention(y))
        return x + found


def refuse_rate(given: int, wanted: int) -> None:
    """Raise ModelError unless a network is given its sample rate, Hz."""
    if given != wanted:
        message = f"a TIGER was given {given} Hz, not {wanted}"
        raise ModelError(message, f"set `sample_rate: {wanted}` in its registry entry")
