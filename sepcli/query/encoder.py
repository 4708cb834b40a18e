"""Queries to embeddings: texts -> (n, d), waveforms -> (n, d), all of length 1."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from sepcli.nets.clap import AudioTower, TextTower
from sepcli.query.cache import EmbeddingCache
from sepcli.query.tokens import WordPieces

PIECE_SECONDS = 5.0  # longer examples are embedded in pieces, whose mean counts


class QueryEncoder(Protocol):
    """What a text-conditioned model needs to understand a query."""

    dimension: int

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """(texts, dimension), of length 1."""
        ...

    def embed_audio(self, wave: NDArray[np.float32], rate: int) -> Tensor:
        """(samples, channels) at `rate` Hz -> (dimension,), of length 1."""
        ...


class SmallClap:
    """The CLAP that ships with sepcli.

    Args:
        weights: safetensors with keys `text.*` and `audio.*`.
        tokenizer: the tokenizer's JSON file.
        cache: folder for embeddings, None to keep none.
    """

    def __init__(self, weights: Path, tokenizer: Path, cache: Path | None = None) -> None:
        state = {key: value.float() for key, value in load_file(weights).items()}
        self._tokens = WordPieces(tokenizer)
        self._text, self._audio = TextTower(self._tokens.size), AudioTower()
        for tower, prefix in ((self._text, "text."), (self._audio, "audio.")):
            part = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
            tower.load_state_dict(part)
            tower.eval()
        self.dimension = self._text.output.out_features
        digest = hashlib.sha256(weights.read_bytes()).hexdigest() if cache else ""
        self._cache = EmbeddingCache(cache, digest) if cache else None

    @torch.inference_mode()
    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """(texts, dimension), of length 1. Case and outer spaces do not matter."""
        texts = [text.strip().lower() for text in texts]

        def embed(rows: list[int]) -> Tensor:
            return self._text(self._tokens([texts[row] for row in rows]))  # type: ignore[no-any-return]

        if self._cache is None:
            return embed(list(range(len(texts))))
        return self._cache.lookup([b"text:" + text.encode() for text in texts], embed)

    @torch.inference_mode()
    def embed_audio(self, wave: NDArray[np.float32], rate: int) -> Tensor:
        """(samples, channels) at `rate` Hz, a multiple of 100 -> (dimension,), of length 1."""

        def embed(_: list[int]) -> Tensor:
            piece = round(PIECE_SECONDS * rate)
            starts = range(0, max(1, len(wave) - piece // 2), piece)
            rows = [
                self._audio(torch.from_numpy(wave[at : at + piece].T.copy())[None], rate)
                for at in starts
            ]
            return F.normalize(torch.cat(rows).mean(dim=0, keepdim=True), dim=-1)

        if self._cache is None:
            return embed([0])[0]
        key = b"audio:%d:%d:" % (rate, wave.shape[1]) + wave.tobytes()
        return self._cache.lookup([key], embed)[0]
