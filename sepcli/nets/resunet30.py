"""ResUNet30, the separator of AudioSep: filters what a query describes out of a mono mixture.

    waveform -> spectrogram (64 ms, 10 ms) -> magnitude, normalised per bin
             -> six encoder blocks, a bottom, six decoder blocks, each told by FiLM what to keep
             -> a gain and a turn of phase per bin -> filtered waveform

The query enters at the first block, so that queries share no more than the spectrogram. FiLM
only adds here: every channel of every block gets an offset, which depends on nothing but the
query. Magnitudes enter as they are, not relative to the level: a gain on the input is not the
same gain on the output.

Liu et al., "Separate Anything You Describe" (arXiv 2308.05037); the network is the ResUNet of
Kong et al., "Decoupling Magnitude and Phase Estimation" (arXiv 2109.05418) with 30 layers. Names
of layers are those of the published checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sepcli.errors import ModelError

FRAMES_PER_SECOND = 100  # hop of 10 ms at every rate
FRAMES_POOLED = 32  # frames that the five pools make one
SLOPE = 0.01  # of the rectifiers, below zero
EPSILON = 1e-5  # added to variances
FAINTEST = 1e-5  # magnitudes are no less for the network
SHORTEST = 1e-10  # least length of a vector that is divided by its length
PAIRS_AT_ONCE = {"cpu": 1, "cuda": 8}  # of a window and a query; elsewhere 1. 10 s take 1 GB

Shifts = Mapping[nn.Module, Tensor]  # by layer, (items, channels, 1, 1)


class ResUNet30(nn.Module):
    """Separates what query embeddings describe from mono mixtures.

    It is made to run, not to be trained from scratch: normalisation keeps its statistics.

    Args:
        condition: width of a query's embedding.
        n_fft: length of a frame in samples.
        hop: distance of frames in samples, 10 ms.
    """

    window: Tensor

    def __init__(self, condition: int = 512, n_fft: int = 2048, hop: int = 320) -> None:
        super().__init__()
        self.condition, self.n_fft, self.hop = condition, n_fft, hop
        self.base = MaskUNet(n_fft // 2 + 1)
        self.film = nn.ModuleDict(
            {
                film_key(name): nn.Linear(condition, norm.channels)
                for name, norm in self.shifted_norms()
            }
        )
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)

    def grid(self, _rate: int) -> int:
        """Samples whose frames are pooled into one."""
        return FRAMES_POOLED * self.hop

    def forward(self, mixture: Tensor, queries: Tensor, rate: int) -> tuple[Tensor, None]:
        """Filter a batch of windows by every query.

        Args:
            mixture: (batch, channels, samples); channels are heard one by one.
            queries: (queries, condition).
            rate: sample rate in Hz: the one at which the hop is 10 ms.

        Returns:
            stems (batch, queries, channels, samples); and None, for the network cannot say
            whether what it is asked for is there.

        Raises:
            ModelError: if the rate or the embeddings are not those it was trained with.
        """
        self._check(queries, rate)
        samples = mixture.shape[-1]
        # Reflection at the edges needs more than half a frame of signal.
        wave = F.pad(mixture.flatten(0, 1), (0, max(0, self.n_fft // 2 + 1 - samples)))
        spec = self.stft(wave)
        masks = self.masks(spec.abs().clamp(min=FAINTEST), queries)
        stems = self.istft(masks * spec[:, None], wave.shape[-1])[..., :samples]
        return stems.unflatten(0, mixture.shape[:2]).transpose(1, 2), None

    def masks(self, magnitude: Tensor, queries: Tensor) -> Tensor:
        """Complex masks, of magnitude 1 at most.

        Args:
            magnitude: (items, bins, frames).
            queries: (queries, condition).

        Returns:
            (items, queries, bins, frames)
        """
        shifts = self.shifts(queries)
        every = torch.arange(len(magnitude) * len(queries), device=magnitude.device)
        groups = every.split(PAIRS_AT_ONCE.get(magnitude.device.type, 1))
        parts = []
        for group in groups:
            item, query = group // len(queries), group % len(queries)
            asked = {norm: shift[query] for norm, shift in shifts.items()}
            parts.append(self.base(magnitude[item], asked))
        masks: Tensor = torch.cat(parts).unflatten(0, (len(magnitude), len(queries)))
        return masks

    def shifts(self, queries: Tensor) -> Shifts:
        """What FiLM and normalisation add, for every query."""
        return {
            norm: (norm.shift + self.film[film_key(name)](queries))[:, :, None, None]
            for name, norm in self.shifted_norms()
        }

    def stft(self, wave: Tensor) -> Tensor:
        """(batch, samples) -> (batch, bins, frames), complex."""
        return torch.stft(wave, self.n_fft, self.hop, window=self.window, return_complex=True)

    def istft(self, spec: Tensor, samples: int) -> Tensor:
        """(..., bins, frames), complex -> (..., samples)."""
        flat = spec.flatten(0, -3)
        wave = torch.istft(flat, self.n_fft, self.hop, window=self.window, length=samples)
        return wave.view(*spec.shape[:-2], samples)

    def shifted_norms(self) -> list[tuple[str, Norm]]:
        """Names and layers of all normalisations that a query shifts."""
        layers = [(name, x) for name, x in self.base.named_modules() if isinstance(x, Norm)]
        return [(name, norm) for name, norm in layers if norm is not self.base.bn0]

    def _check(self, queries: Tensor, rate: int) -> None:
        wanted = FRAMES_PER_SECOND * self.hop
        if rate != wanted:
            message = f"a ResUNet30 with a hop of {self.hop} was given {rate} Hz, not {wanted}"
            raise ModelError(message, f"set `sample_rate: {wanted}` in its registry entry")
        if queries.shape[1:] != (self.condition,):
            message = (
                f"a ResUNet30 for embeddings of {self.condition} was given {queries.shape[-1]}"
            )
            raise ModelError(message, "correct the encoder or `condition` in its registry entry")


class MaskUNet(nn.Module):
    """Magnitudes (items, bins, frames) and shifts to complex masks of the same shape."""

    def __init__(self, bins: int) -> None:
        super().__init__()
        self.bn0 = Norm(bins)
        self.pre_conv = nn.Conv2d(1, 32, 1)
        self.encoder_block1 = EncoderBlock(32, 32)
        self.encoder_block2 = EncoderBlock(32, 64)
        self.encoder_block3 = EncoderBlock(64, 128)
        self.encoder_block4 = EncoderBlock(128, 256)
        self.encoder_block5 = EncoderBlock(256, 384)
        self.encoder_block6 = EncoderBlock(384, 384, pool=(1, 2))
        self.conv_block7a = EncoderBlock(384, 384, pool=(1, 1))
        self.decoder_block1 = DecoderBlock(384, 384, stride=(1, 2))
        self.decoder_block2 = DecoderBlock(384, 384)
        self.decoder_block3 = DecoderBlock(384, 256)
        self.decoder_block4 = DecoderBlock(256, 128)
        self.decoder_block5 = DecoderBlock(128, 64)
        self.decoder_block6 = DecoderBlock(64, 32)
        self.after_conv = nn.Conv2d(32, 3, 1)
        # oneDNN convolves channels-last tensors as they are, and others after rearranging them.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, magnitude: Tensor, shifts: Shifts) -> Tensor:
        frames = magnitude.shape[-1]
        rows = torch.addcmul(self.bn0.shift, magnitude.transpose(1, 2), self.bn0.scale)
        x = F.pad(rows, (0, -1, 0, -frames % FRAMES_POOLED))  # the top bin is left out
        x = self.widen(x[:, None])
        skips = []
        for encoder in self._encoders():
            x, skip = encoder(x, shifts)
            skips.append(skip)
        x, _ = self.conv_block7a(x, shifts)
        for decoder in self._decoders():
            x = decoder(x, skips.pop(), shifts)
        return polar_mask(self.after_conv(x)[:, :, :frames])

    def widen(self, x: Tensor) -> Tensor:
        """(items, 1, frames, bins - 1) -> (items, 32, ...), channels last in memory."""
        wide: Tensor = self.pre_conv(x)
        return wide.contiguous(memory_format=torch.channels_last)

    def _encoders(self) -> tuple[EncoderBlock, ...]:
        lower = (self.encoder_block1, self.encoder_block2, self.encoder_block3)
        return *lower, self.encoder_block4, self.encoder_block5, self.encoder_block6

    def _decoders(self) -> tuple[DecoderBlock, ...]:
        deeper = (self.decoder_block1, self.decoder_block2, self.decoder_block3)
        return *deeper, self.decoder_block4, self.decoder_block5, self.decoder_block6


class EncoderBlock(nn.Module):
    """A ConvBlock, and its output averaged over groups of frames and bins."""

    def __init__(self, inputs: int, outputs: int, pool: tuple[int, int] = (2, 2)) -> None:
        super().__init__()
        self.pool = pool
        self.conv_block1 = ConvBlock(inputs, outputs)

    def forward(self, x: Tensor, shifts: Shifts) -> tuple[Tensor, Tensor]:
        x = self.conv_block1(x, shifts)
        return F.avg_pool2d(x, self.pool), x


class DecoderBlock(nn.Module):
    """Spreads its input over groups of frames and bins, and joins what the encoder had there.

    `bn2` and its shift are in the checkpoints, but nothing uses them.
    """

    def __init__(self, inputs: int, outputs: int, stride: tuple[int, int] = (2, 2)) -> None:
        super().__init__()
        self.bn1, self.bn2 = Norm(inputs), Norm(inputs)
        self.conv1 = nn.ConvTranspose2d(inputs, outputs, stride, stride, bias=False)
        self.conv_block2 = ConvBlock(2 * outputs, outputs)

    def forward(self, x: Tensor, skip: Tensor, shifts: Shifts) -> Tensor:
        x = torch.cat([self.conv1(self.bn1(x, shifts)), skip], dim=1)
        joined: Tensor = self.conv_block2(x, shifts)
        return joined


class ConvBlock(nn.Module):
    """Two 3x3 convolutions, each after normalisation and rectifier, and a shortcut."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.bn1, self.bn2 = Norm(inputs), Norm(outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, shifts: Shifts) -> Tensor:
        y: Tensor = self.conv1(self.bn1(x, shifts))
        y = self.bn2(y, shifts)
        y = self.conv2(y)
        return y.add_(self.shortcut(x))


class Norm(nn.Module):
    """Batch normalisation with fixed statistics, shifted by a query, and a leaky rectifier."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    @property
    def scale(self) -> Tensor:
        """(channels,)"""
        return self.weight * (self.running_var + EPSILON).rsqrt()

    @property
    def shift(self) -> Tensor:
        """(channels,): what it adds after scaling."""
        return self.bias - self.running_mean * self.scale

    def forward(self, x: Tensor, shifts: Shifts) -> Tensor:
        y = torch.addcmul(shifts[self].to(x.dtype), x, self.scale.to(x.dtype)[:, None, None])
        return F.leaky_relu_(y, SLOPE)


def polar_mask(logits: Tensor) -> Tensor:
    """Gain and turn of phase as one complex factor.

    With logits (g, a, b) of a bin, it is multiplied by sigmoid(g) and turned by the angle of
    tanh(a) + j tanh(b). The top bin, which the network does not see, is silent.

    Args:
        logits: (items, 3, frames, bins - 1).

    Returns:
        (items, bins, frames), complex.
    """
    precise = logits.to(torch.promote_types(logits.dtype, torch.float32))  # no complex bfloat16
    gain, x, y = precise.transpose(2, 3).unbind(1)
    x, y = x.tanh(), y.tanh()
    gain = gain.sigmoid() / torch.hypot(x, y).clamp(min=SHORTEST)
    return F.pad(torch.complex(gain * x, gain * y), (0, 0, 0, 1))


def film_key(name: str) -> str:
    """Of a normalisation's name in the network: `a.bn1` -> `a->beta1`."""
    return name.replace(".", "->").replace("bn", "beta")
