"""TIGER's full-frequency-frame attention (Xu et al., 2025, section 3.3.2).

Along one axis of bands x frames every position attends to all others; the other axis is part of
what is compared. So an answer depends on how long the other axis is, and a window's length is part
of what a network was trained with.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EPSILON = 1e-5  # added to variances


class ChannelNorm(nn.Module):
    """Normalises the channels of every position of a map (items, channels, ., .)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return normalised(x) * self.gamma + self.beta


class Projection(nn.Module):
    """Channels mixed, rectified, and normalised at every position."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 1)
        self.act = nn.PReLU()
        self.norm = ChannelNorm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(items, inputs, ., .) -> (items, outputs, ., .)."""
        y: Tensor = self.norm(self.act(self.conv(x)))
        return y


class Heads(nn.ModuleList):
    """Projections of one map, one for each head, computed as one convolution."""

    def __init__(self, heads: int, inputs: int, outputs: int) -> None:
        super().__init__(Projection(inputs, outputs) for _ in range(heads))
        self.outputs = outputs

    def forward(self, x: Tensor) -> Tensor:
        """(items, inputs, a, b) -> (items, heads, outputs, a, b)."""
        weight, bias, slopes, gamma, beta = (
            torch.cat(same) for same in zip(*(head.parameters() for head in self), strict=True)
        )
        y = F.prelu(F.conv2d(x, weight, bias), slopes.repeat_interleave(self.outputs))
        y = normalised(y.unflatten(1, (len(self), self.outputs)), dim=2)
        return y * gamma + beta


class AxisAttention(nn.Module):
    """Attention along the first axis of a map, added to it.

    Args:
        features: channels of the map, a multiple of `heads`.
        heads: how many.
        width: channels of a head's queries and keys.

    Raises:
        ValueError: if the heads cannot share the channels evenly.
    """

    def __init__(self, features: int, heads: int, width: int) -> None:
        super().__init__()
        if features % heads:
            raise ValueError(f"{heads} heads cannot share {features} channels evenly")
        self.Queries = Heads(heads, features, width)
        self.Keys = Heads(heads, features, width)
        self.Values = Heads(heads, features, features // heads)
        self.attn_concat_proj = Projection(features, features)

    def forward(self, x: Tensor) -> Tensor:
        """(items, features, axis, others), and the same."""
        # items, heads, axis, channels x others: scores are divided by the root of that product.
        rows = [heads(x).transpose(2, 3) for heads in (self.Queries, self.Keys, self.Values)]
        seen = F.scaled_dot_product_attention(*(row.flatten(3) for row in rows))
        heard = seen.view(rows[2].shape).transpose(2, 3).flatten(1, 2)
        y: Tensor = self.attn_concat_proj(heard)
        return x + y


def normalised(x: Tensor, dim: int = 1) -> Tensor:
    """Mean 0 and variance 1 over one axis."""
    centred = x - x.mean(dim=dim, keepdim=True)  # five times as fast as var_mean on this axis
    return centred * (centred.square().mean(dim=dim, keepdim=True) + EPSILON).rsqrt()
