"""Embeddings that users keep: one vector in a safetensors file, with what made it.

The file names its encoder by a fingerprint, since another encoder's space has nothing to do with
it. It holds a tensor `embedding` of length 1; its metadata `encoder` and `made_of`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from sepcli.errors import UsageError
from sepcli.whole_file import written_whole

SUFFIX = ".safetensors"
KEY = "embedding"
LARGEST = 1 << 20  # bytes of a file; an embedding of 512 numbers takes 2.3 kB
HEAD = 8  # bytes in which safetensors give the length of their header
ROUNDING = 1e-3  # of a length of 1
MAKE_ONE = "make one with `sepcli embed`"


def write_embedding(path: Path, embedding: Tensor, encoder: str, made_of: Sequence[str]) -> None:
    """Keep an embedding.

    Args:
        path: of the file, which is replaced.
        embedding: (dimension,), of length 1.
        encoder: fingerprint of what made it.
        made_of: names of recordings, and texts.

    Raises:
        OutputError: if the disk is full or read-only.
    """
    facts = {"encoder": encoder, "made_of": json.dumps(list(made_of), ensure_ascii=False)}
    with written_whole(path) as partial:
        save_file({KEY: embedding.detach().cpu().float().contiguous()}, partial, facts)


def read_embedding(path: Path, encoder: str) -> Tensor:
    """An embedding, (dimension,), of length 1.

    Args:
        path: of the file.
        encoder: fingerprint of the one that is to understand it.

    Raises:
        UsageError: if the file is missing, damaged, of absurd size, no embedding, or another
            encoder's.
    """
    _check_size(path)
    try:
        with safe_open(path, framework="pt") as file:
            facts = file.metadata() or {}
            keys = list(file.keys())
            embedding: Tensor | None = file.get_tensor(KEY) if keys == [KEY] else None
    except (OSError, SafetensorError, ValueError) as error:
        raise UsageError(f"{path} is damaged: {error}", MAKE_ONE) from error
    if embedding is None or "encoder" not in facts or not _is_direction(embedding):
        raise UsageError(f"{path} holds no embedding", MAKE_ONE)
    if facts["encoder"] != encoder:
        message = f"{path} was made by another encoder ({facts['encoder']:.12}) than this model's"
        remedy = f"{MAKE_ONE} and the same --model (its encoder is {encoder:.12})"
        raise UsageError(message, remedy)
    return embedding


def _check_size(path: Path) -> None:
    """Refuse what is too large, or promises a longer header than there is, before it is opened."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            header = int.from_bytes(file.read(HEAD), "little")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "check the path") from error
    if size > LARGEST:
        raise UsageError(f"{path} is no embedding: it has {size} bytes", MAKE_ONE)
    if header > size - HEAD:
        message = f"{path} is damaged: a header of {header} bytes in a file of {size}"
        raise UsageError(message, MAKE_ONE)


def _is_direction(embedding: Tensor) -> bool:
    """Whether a tensor is a vector of length 1."""
    if embedding.ndim != 1 or not embedding.is_floating_point():
        return False
    return abs(float(embedding.double().norm()) - 1) < ROUNDING
