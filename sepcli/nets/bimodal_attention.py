"""Attention from a feature map to itself and to the words of a query.

Blocks are pre-norm transformer blocks (Xiong et al., 2020) on a map whose positions are read as
a sequence, without positional encoding: what a block does is the same wherever it looks.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

MLP_RATIO = 2  # hidden units of a block's perceptron per channel


class SelfThenCrossAttention(nn.Module):
    """A map (pairs, width, bins, frames) attends to itself, then to words (pairs, words, word).

    Args:
        width: channels of the map, a multiple of `heads`.
        word: length of a word's vector.
        heads: attention heads.

    Raises:
        ValueError: if the heads cannot share the channels evenly.
    """

    def __init__(self, width: int, word: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads cannot share {width} channels evenly")
        # Published checkpoints hold this norm, though nothing ever passes through it.
        self.norm1 = nn.LayerNorm(width).requires_grad_(False)
        self.sa_block = TransformerBlock(width, SelfAttention(width, heads))
        self.ca_block = TransformerBlock(width, CrossAttention(width, word, heads))

    def forward(self, x: Tensor, words: Tensor) -> Tensor:
        positions = x.flatten(2).transpose(1, 2)
        positions = self.sa_block(positions)
        answers: Tensor = self.ca_block(positions, words)
        return answers.transpose(1, 2).reshape(x.shape)


class TransformerBlock(nn.Module):
    """Attention, then a perceptron, each on normalised features and added to them.

    Args:
        width: channels.
        attention: called with the normalised features and whatever else the block is given.
    """

    def __init__(self, width: int, attention: nn.Module) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = attention
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Perceptron(width)

    def forward(self, x: Tensor, *context: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x), *context)
        y: Tensor = x + self.mlp(self.norm2(x))
        return y


class Perceptron(nn.Module):
    """Two linear maps with a GELU between them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, MLP_RATIO * width)
        self.fc2 = nn.Linear(MLP_RATIO * width, width)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return y


class SelfAttention(nn.Module):
    """Every position of (batch, positions, width) looks at all positions."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.qkv(x).chunk(3, dim=-1)
        y: Tensor = self.proj(attend(query, key, value, self.heads))
        return y


class CrossAttention(nn.Module):
    """Every position of (batch, positions, width) looks at all words (batch, words, word)."""

    def __init__(self, width: int, word: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, width)
        self.kv = nn.Linear(word, 2 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, words: Tensor) -> Tensor:
        key, value = self.kv(words).chunk(2, dim=-1)
        y: Tensor = self.proj(attend(self.q(x), key, value, self.heads))
        return y


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """softmax(q k^T / sqrt(width / heads)) v in every head (Vaswani et al., 2017, eq. 1).

    Args:
        query: (batch, positions, width), head after head.
        key: (batch, places, width).
        value: (batch, places, width).
        heads: a divisor of width.

    Returns:
        (batch, positions, width)
    """
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (query, key, value))
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
