"""Networks as training sees them: spectrograms and queries in, masks out."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sepcli.audio import stft as transform
from sepcli.nets import bimodal_unet, clipsep
from sepcli.nets.band_unet import BandUNet
from sepcli.nets.bands import common_magnitude
from sepcli.nets.bimodal_unet import BimodalUNet
from sepcli.nets.clipsep import ClipSep
from sepcli.nets.tiger import Tiger
from sepcli.training.config import (
    BandUNetConfig,
    BimodalUNetConfig,
    ClipSepConfig,
    NetworkConfig,
    TigerConfig,
)


class Masker(nn.Module):
    """A network that answers queries with masks.

    Attributes:
        network: as it is exported.
        rate: of the waveforms, in Hz.
        as_clap: whether its spectrograms are those that the small CLAP hears.
        asked: whether it answers queries; if not, its outputs are its own.
    """

    network: nn.Module
    rate: int
    as_clap = False
    asked = True

    def spectrogram(self, wave: Tensor) -> Tensor:
        """(..., samples) -> (..., bins, frames), complex."""
        raise NotImplementedError

    def waveform(self, spec: Tensor, samples: int) -> Tensor:
        """The inverse of `spectrogram`, (..., bins, frames) -> (..., samples)."""
        raise NotImplementedError

    def forward(self, mixture: Tensor, queries: Tensor) -> Tensor:
        """Masks from 0 to 1, for linear magnitudes.

        Args:
            mixture: (batch, bins, frames), complex, of `spectrogram`.
            queries: (batch, questions, d).

        Returns:
            (batch, questions, bins, frames)
        """
        raise NotImplementedError


class BandUNetMasker(Masker):
    """A BandUNet at 32 kHz."""

    network: BandUNet
    rate = 32_000
    as_clap = True

    def __init__(self, config: BandUNetConfig, embedding: int) -> None:
        super().__init__()
        sizes = config.model_dump(exclude={"name"})
        self.network = BandUNet(embedding, **sizes)
        if self.network.presence is not None:  # trained on the finished network, see presence.py
            self.network.presence.requires_grad_(False)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def spectrogram(self, wave: Tensor) -> Tensor:
        """40 ms windows every 10 ms."""
        return transform.stft(wave, self.rate)

    def waveform(self, spec: Tensor, samples: int) -> Tensor:
        """Overlap-add."""
        return transform.istft(spec, self.rate, samples)

    def forward(self, mixture: Tensor, queries: Tensor) -> Tensor:
        """Sigmoid masks; 32 kHz has just the bins that the network knows."""
        return self.network.masks(common_magnitude(mixture[:, None]), queries)


class BimodalMasker(Masker):
    """The paper's U-Net at 16 kHz."""

    network: BimodalUNet
    rate = bimodal_unet.SAMPLE_RATE

    def __init__(self, config: BimodalUNetConfig, embedding: int) -> None:
        super().__init__()
        sizes = config.model_dump(exclude={"name"})
        self.network = BimodalUNet(**sizes, pooled=embedding)

    def spectrogram(self, wave: Tensor) -> Tensor:
        """64 ms windows every 16 ms."""
        flat = bimodal_unet.stft(wave.reshape(-1, wave.shape[-1]))
        return flat.view(*wave.shape[:-1], *flat.shape[1:])

    def waveform(self, spec: Tensor, samples: int) -> Tensor:
        """Overlap-add."""
        rows = spec.reshape(-1, 1, *spec.shape[-2:])
        return bimodal_unet.istft(rows, samples).reshape(*spec.shape[:-2], samples)

    def forward(self, mixture: Tensor, queries: Tensor) -> Tensor:
        """Sigmoid masks."""
        return self.network.masks(mixture.abs(), queries).sigmoid()


class ClipSepMasker(Masker):
    """CLIPSep's U-Net at 16 kHz."""

    network: ClipSep
    rate = clipsep.SAMPLE_RATE

    def __init__(self, config: ClipSepConfig, embedding: int) -> None:
        super().__init__()
        self.network = ClipSep(embedding, **config.model_dump(exclude={"name"}))

    def spectrogram(self, wave: Tensor) -> Tensor:
        """64 ms windows every 16 ms."""
        flat = self.network.stft(wave.reshape(-1, wave.shape[-1]))
        return flat.view(*wave.shape[:-1], *flat.shape[1:])

    def waveform(self, spec: Tensor, samples: int) -> Tensor:
        """Overlap-add."""
        return self.network.istft(spec, samples)

    def forward(self, mixture: Tensor, queries: Tensor) -> Tensor:
        """Sigmoid masks, warped back to linear frequency."""
        return self.network.on_bins(self.network.logits(mixture.abs(), queries).sigmoid())


class TigerMasker(Masker):
    """TIGER at 16 kHz, whose outputs are nobody's answers."""

    network: Tiger
    rate = 16_000
    asked = False

    def __init__(self, config: TigerConfig, _: int) -> None:
        super().__init__()
        self.network = Tiger(**config.model_dump(exclude={"name"}), sample_rate=self.rate)

    def spectrogram(self, wave: Tensor) -> Tensor:
        """40 ms windows every 10 ms."""
        flat = self.network.stft(wave.reshape(-1, wave.shape[-1]))
        return flat.view(*wave.shape[:-1], *flat.shape[1:])

    def waveform(self, spec: Tensor, samples: int) -> Tensor:
        """Overlap-add."""
        return self.network.istft(spec, samples)

    def forward(self, mixture: Tensor, queries: Tensor) -> Tensor:  # noqa: ARG002
        """Complex masks of its own outputs, (batch, outputs, bins, frames), which sum to 1."""
        return self.network.masks(mixture)


TRAINABLE: dict[str, Any] = {
    "band-unet": BandUNetMasker,
    "bimodal-unet": BimodalMasker,
    "clipsep": ClipSepMasker,
    "tiger": TigerMasker,
}


def rate_of(config: NetworkConfig) -> int:
    """Of the waveforms that a network hears, in Hz."""
    rate: int = TRAINABLE[config.name].rate
    return rate


def is_asked(config: NetworkConfig) -> bool:
    """Whether a network answers queries."""
    asked: bool = TRAINABLE[config.name].asked
    return asked


def build_masker(config: NetworkConfig, embedding: int) -> Masker:
    """A new network with random weights, conditioned on embeddings of a length."""
    masker: Masker = TRAINABLE[config.name](config, embedding)
    return masker
