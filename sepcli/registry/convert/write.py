"""Files of a model, each of them written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

from sepcli.registry.convert.checkpoint import State
from sepcli.whole_file import written_whole


def write_tensors(target: Path, state: State, dtype: torch.dtype) -> None:
    """Write a safetensors file.

    Raises:
        OutputError: if the disk is full or read-only.
    """
    tensors = packed(state, dtype)
    with written_whole(target) as partial:
        save_file(tensors, partial, metadata={"format": "pt"})


def write_bytes(target: Path, content: bytes) -> None:
    """Write a small file.

    Raises:
        OutputError: if the disk is full or read-only.
    """
    with written_whole(target) as partial:
        partial.write_bytes(content)


def packed(state: State, dtype: torch.dtype) -> State:
    """Contiguous tensors of one type, none of which shares its memory with another."""
    taken: set[int] = set()
    tensors: State = {}
    for key, value in state.items():
        tensor = value.detach().to(dtype).contiguous()
        address = tensor.untyped_storage().data_ptr()
        tensors[key] = tensor.clone() if address in taken else tensor
        taken.add(address)
    return tensors
