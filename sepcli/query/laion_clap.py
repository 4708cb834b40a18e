"""LAION-CLAP as an encoder of queries (Wu et al., 2023, arXiv 2211.06687).

AudioSep is conditioned on the embedding of a whole text or sound, BiModal on every token of a
text as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sepcli.audio.resample import resampled
from sepcli.errors import ModelError
from sepcli.hashing import sha256_of
from sepcli.query.cache import EmbeddingCache
from sepcli.query.laion_file import LaionFile
from sepcli.query.laion_mel import RATE
from sepcli.query.laion_tokens import RobertaTokens
from sepcli.query.laion_towers import AudioTower, TextTower

MOST_TOKENS = 512  # that RoBERTa has positions for
TOKENS = 77  # to which BiModal's texts are padded or cut
TEXTS_AT_ONCE = 32

Embed = Callable[[list[int]], Tensor]


class LaionClap:
    """Texts and sounds to unit vectors in LAION-CLAP's common space.

    Args:
        weights: see `LaionFile`.
        tokenizer: see `RobertaTokens`.
        cache: folder for embeddings, None to keep none.

    Attributes:
        dimension: of what a network is conditioned on.
        pooled: of the embedding of a whole text or sound.
        scale: inverse temperature between sounds and texts; None if the file has none.

    Raises:
        ModelError: if a file is missing or not what it should be; later, on the first query that
            is not in the cache, if the weights do not fit or transformers is not installed.
    """

    name = "laion-clap"
    most_tokens = MOST_TOKENS

    def __init__(self, weights: Path, tokenizer: Path, cache: Path | None = None) -> None:
        self._file = LaionFile(weights)
        self._tokens = RobertaTokens(tokenizer, self.most_tokens)
        self.dimension = self.pooled = self._file.dimension
        self.scale = self._file.scale()
        self._cache = EmbeddingCache(cache, self._identity()) if cache else None

    def _identity(self) -> str:
        files = [self._file.path, *([self._file.config] if self._file.config else [])]
        return ":".join([self.name, *map(sha256_of, files)])

    @cached_property
    def _text(self) -> TextTower:
        return TextTower(self._file)

    @cached_property
    def audio_tower(self) -> AudioTower:
        """What hears; differentiable, see `AudioTower`."""
        return AudioTower(self._file)

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """(texts, dimension). Case matters, outer spaces do not."""
        texts = [text.strip() for text in texts]

        def embed(rows: list[int]) -> Tensor:
            parts = [rows[at : at + TEXTS_AT_ONCE] for at in range(0, len(rows), TEXTS_AT_ONCE)]
            return torch.cat([self._read([texts[row] for row in part]) for part in parts])

        return self._kept([b"text:" + text.encode() for text in texts], embed)

    def _read(self, texts: Sequence[str]) -> Tensor:
        ids, mask = self._tokens(texts)
        embeddings: Tensor = self._text(ids, mask)[1]
        return embeddings

    @torch.no_grad()
    def embed_audio(self, wave: NDArray[np.float32], rate: int) -> Tensor:
        """(samples, channels) at `rate` Hz -> (dimension,), of length 1, of the channels' mean."""

        def embed(_: list[int]) -> Tensor:
            mono = wave.mean(axis=1, keepdims=True)
            parts = list(resampled([mono], rate, RATE, 1))
            return self._hear(torch.from_numpy(np.concatenate(parts).T.copy()))

        key = b"audio:%d:%d:" % (rate, wave.shape[1]) + wave.tobytes()
        return self._kept([key], embed)[0]

    def _hear(self, wave: Tensor) -> Tensor:
        embeddings: Tensor = self.audio_tower(wave)
        return embeddings

    def _kept(self, keys: Sequence[bytes], embed: Embed) -> Tensor:
        if self._cache is None:
            return embed(list(range(len(keys))))
        return self._cache.lookup(keys, embed)


class LaionClapTokens(LaionClap):
    """Texts to what BiModal is conditioned on, as one vector.

    That is RoBERTa's last hidden states of 77 tokens, token by token, and then the embedding of
    length 1. Padding is masked inside RoBERTa; its own states are given all the same, as BiModal
    attends to them (Mahmud et al., 2024, arXiv 2404.01740).
    """

    name = "laion-clap-tokens"
    most_tokens = TOKENS

    def __init__(self, weights: Path, tokenizer: Path, cache: Path | None = None) -> None:
        super().__init__(weights, tokenizer, cache)
        self.dimension += TOKENS * self._file.width

    def _read(self, texts: Sequence[str]) -> Tensor:
        states, embeddings = self._text(*self._tokens(texts, least=TOKENS))
        return torch.cat([states.flatten(1), embeddings], dim=1)

    def _hear(self, wave: Tensor) -> Tensor:  # noqa: ARG002
        raise ModelError("this model understands no example sounds", "ask with words")
