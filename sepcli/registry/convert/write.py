"""Files of a model, written under another name and renamed when they are whole and on the disk."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from sepcli.audio.writer import partial_path
from sepcli.errors import OutputError
from sepcli.registry.convert.checkpoint import State


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Gives a place beside `target` to write to, and moves what is there to `target` at the end.

    Raises:
        OutputError: if the disk is full or read-only; nothing half-written remains.
    """
    partial = partial_path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(target)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        full = os.strerror(errno.ENOSPC) in reason
        remedy = "free some space" if full else "choose another -o folder"
        raise OutputError(f"cannot write {target}: {reason}", remedy) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


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
