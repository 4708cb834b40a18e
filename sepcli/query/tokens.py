"""Text to token ids, by the tokenizer file that ships with the model."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

MOST_TOKENS = 64  # of a query that are read; a described sound needs about ten


class WordPieces:
    """A tokenizer without special tokens, padded with 0."""

    def __init__(self, path: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MOST_TOKENS)
        self._unknown = int(self._tokenizer.token_to_id("[UNK]") or 0)

    @property
    def size(self) -> int:
        """Number of tokens in the vocabulary."""
        return self._tokenizer.get_vocab_size()

    def vocabulary(self) -> list[str]:
        """All tokens, by id; the commoner a word the smaller its id."""
        by_id = sorted(self._tokenizer.get_vocab().items(), key=lambda item: item[1])
        return [token for token, _ in by_id]

    def __call__(self, texts: list[str]) -> Tensor:
        """(texts,) -> ids (texts, longest), padded with 0, at least one token each."""
        rows: list[list[int]] = [
            encoding.ids or [self._unknown]
            for encoding in self._tokenizer.encode_batch(texts, add_special_tokens=False)
        ]
        longest = max(map(len, rows), default=1)
        return torch.tensor([row + [0] * (longest - len(row)) for row in rows])
