"""States of a training on disk, and whether one fits the module at hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sepcli.errors import UsageError
from sepcli.training.loop.files import replace

State = dict[str, Any]


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Replace a checkpoint.

    Raises:
        OutputError: if the disk is full; the old checkpoint is still there.
    """
    replace(path, lambda file: torch.save(dict(state), file))


def read_state(path: Path) -> State | None:
    """A checkpoint, on the CPU; None if there is none. No code of the file is run.

    Raises:
        UsageError: if it is damaged.
    """
    if not path.exists():
        return None
    try:
        state: State = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:  # the unpickler of strangers' bytes may raise anything
        message = f"{path} is damaged or no checkpoint ({type(error).__name__})"
        raise UsageError(message, "delete it to begin anew, or bring back a copy") from error
    return state


def refuse_misfit(state: Mapping[str, Tensor], module: nn.Module, path: Path | str) -> None:
    """A checkpoint must be of the architecture that is trained.

    Args:
        state: of a module, from the checkpoint.
        module: the one at hand.
        path: of the checkpoint, or what else it is called, for the message.

    Raises:
        UsageError: naming the first difference.
    """
    there = {key: tuple(value.shape) for key, value in state.items()}
    here = {key: tuple(value.shape) for key, value in module.state_dict().items()}
    for key in sorted(there.keys() | here.keys()):
        if there.get(key) != here.get(key):
            difference = f"{key} is {_shape(there.get(key))} there and {_shape(here.get(key))} here"
            message = f"{path} is of another architecture: {difference}"
            raise UsageError(message, "resume with the config of that run, or use another folder")


def _shape(shape: tuple[int, ...] | None) -> str:
    return "missing" if shape is None else str(list(shape))
