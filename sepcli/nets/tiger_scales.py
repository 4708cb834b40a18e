"""TIGER's multi-scale selective attention (Xu et al., 2025, section 3.3.1): a U-Net on sequences.

    sequence -> wide -> halved four times, each half by a depthwise convolution
             -> the sum of all five levels, pooled to the shortest: what the whole is about
             -> every level gated by that, and moved by it
             -> merged from the shortest to the longest -> narrow, added to the sequence

The first merge takes the fourth level and the third, not the fifth, so what is made of the fifth
level is never used. Checkpoints were trained so, and hold its weights; here they are frozen.

Inside, a sequence is a map of one row, with all channels of a step side by side in memory: a
convolution of every channel by itself then takes half the time that it takes on sequences.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

KERNEL = 5  # of depthwise convolutions, in steps of the sequence
EPSILON = 1e-8  # added to variances
DROPOUT = 0.1
SHALLOWEST = 3  # levels: the first merge needs two that are not the last


class MultiScale(nn.Module):
    """Sequences to sequences of the same shape.

    Args:
        features: channels of a sequence.
        hidden: channels inside.
        levels: lengths that are looked at, each half of the one before.

    Raises:
        ValueError: if there are fewer than three levels.
    """

    def __init__(self, features: int, hidden: int, levels: int) -> None:
        super().__init__()
        if levels < SHALLOWEST:
            raise ValueError(f"upsampling_depth must be {SHALLOWEST} or more, not {levels}")
        self.proj_1x1 = Normed(nn.Conv1d(features, hidden, 1), nn.PReLU())
        self.spp_dw = nn.ModuleList(
            Normed(depthwise(hidden, KERNEL, stride=1 if level == 0 else 2))
            for level in range(levels)
        )
        self.loc_glo_fus = nn.ModuleList(Selection(hidden, 1) for _ in range(levels))
        self.globalatt = Perceptron(hidden)
        self.last_layer = nn.ModuleList(Selection(hidden, KERNEL) for _ in range(levels - 1))
        self.res_conv = nn.Conv1d(hidden, features, 1)
        self.loc_glo_fus[-1].requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """(sequences, features, length), and the same."""
        levels = self._levels(x.mT.contiguous().mT[:, :, None])
        about = self.globalatt(pooled(levels))
        used = zip(self.loc_glo_fus, levels[:-1], strict=False)
        fused = [select(level, about) for select, level in used]
        merged = fused[-2]
        for select, level in reversed(list(zip(self.last_layer, fused, strict=True))):
            merged = select(level, merged)
        return x + convolved(self.res_conv, merged)[:, :, 0]

    def _levels(self, x: Tensor) -> list[Tensor]:
        levels = [self.proj_1x1(x)]
        for halve in self.spp_dw:
            levels.append(halve(levels[-1]))
        return levels[1:]


class Normed(nn.Module):
    """A convolution, a norm over channels and steps, and an activation that checkpoints call act.

    Args:
        conv: the convolution.
        act: what follows the norm, if anything.
    """

    def __init__(self, conv: nn.Conv1d, act: nn.Module | None = None) -> None:
        super().__init__()
        self.conv = conv
        self.norm = nn.GroupNorm(1, conv.out_channels, eps=EPSILON)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(convolved(self.conv, x))
        return y if self.act is None else self.act(y)


class Selection(nn.Module):
    """A level gated and moved by a shorter or longer one, step for step.

    Args:
        hidden: channels of both.
        kernel: of the depthwise convolutions.
    """

    def __init__(self, hidden: int, kernel: int) -> None:
        super().__init__()
        self.local_embedding = Normed(depthwise(hidden, kernel, bias=False))
        self.global_embedding = Normed(depthwise(hidden, kernel, bias=False))
        self.global_act = Normed(depthwise(hidden, kernel, bias=False))

    def forward(self, local: Tensor, about: Tensor) -> Tensor:
        """(sequences, hidden, 1, length), (sequences, hidden, 1, any) -> as the first."""
        size = local.shape[2:]
        gate = F.interpolate(self.global_act(about).sigmoid(), size)
        moved = F.interpolate(self.global_embedding(about), size)
        y: Tensor = self.local_embedding(local) * gate + moved
        return y


class Perceptron(nn.Module):
    """Channels mixed, neighbours mixed, channels mixed."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.fc1 = Normed(nn.Conv1d(hidden, hidden, 1, bias=False))
        self.dwconv = depthwise(hidden, KERNEL)
        self.fc2 = Normed(nn.Conv1d(hidden, hidden, 1, bias=False))
        self.drop = nn.Dropout(DROPOUT)

    def forward(self, x: Tensor) -> Tensor:
        """(sequences, hidden, 1, length), and the same."""
        x = self.drop(convolved(self.dwconv, self.fc1(x)).relu())
        y: Tensor = self.drop(self.fc2(x))
        return y


def convolved(conv: nn.Conv1d, x: Tensor) -> Tensor:
    """What a convolution of sequences makes of (sequences, channels, 1, length)."""
    weight = conv.weight[:, :, None]
    stride, padding = (1, *conv.stride), (0, *conv.padding)
    return F.conv2d(x, weight, conv.bias, stride, padding, groups=conv.groups)


def depthwise(channels: int, kernel: int, stride: int = 1, bias: bool = True) -> nn.Conv1d:
    """A convolution of every channel by itself; with stride 1 it keeps the length."""
    return nn.Conv1d(channels, channels, kernel, stride, kernel // 2, groups=channels, bias=bias)


def pooled(levels: Sequence[Tensor]) -> Tensor:
    """The sum of all levels, each averaged to the length of the last."""
    length = levels[-1].shape[-1]
    *longer, total = levels
    for level in longer:
        total = total + F.adaptive_avg_pool2d(level, (1, length))
    return total
