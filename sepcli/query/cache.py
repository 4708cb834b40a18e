"""Embeddings kept on disk, by a hash of the encoder and of what it was given."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class EmbeddingCache:
    """A folder of embeddings. If it cannot be written, nothing is kept and nothing fails.

    Args:
        folder: created when first needed.
        encoder: identifies the encoder, such as the hash of its weights.
    """

    def __init__(self, folder: Path, encoder: str) -> None:
        self._folder, self._encoder = folder, encoder

    def lookup(self, keys: Sequence[bytes], embed: Callable[[list[int]], Tensor]) -> Tensor:
        """Embeddings of all keys, computing only those not kept.

        Args:
            keys: what identifies each input.
            embed: indices into `keys` -> (indices, embedding).

        Returns:
            (keys, embedding)
        """
        paths = [self._path(key) for key in keys]
        known = [self._read(path) for path in paths]
        missing = [index for index, row in enumerate(known) if row is None]
        if missing:
            for index, row in zip(missing, embed(missing).cpu().numpy(), strict=True):
                known[index] = row
                self._write(paths[index], row)
        return torch.from_numpy(np.stack([row for row in known if row is not None]))

    def _path(self, key: bytes) -> Path:
        digest = hashlib.sha256(self._encoder.encode() + b"\0" + key).hexdigest()
        return self._folder / digest[:2] / f"{digest}.npy"

    def _read(self, path: Path) -> NDArray[np.float32] | None:
        try:
            row: NDArray[np.float32] = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return row

    def _write(self, path: Path, row: NDArray[np.float32]) -> None:
        partial = path.with_suffix(f".{os.getpid()}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                np.save(file, row)
            partial.replace(path)
        except OSError:
            with suppress(OSError):
                partial.unlink()
