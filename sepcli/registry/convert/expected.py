"""Which keys and shapes a network has, without making its weights."""

from __future__ import annotations

from typing import Any

import torch

from sepcli.errors import ModelError
from sepcli.registry.convert.converter import Shapes
from sepcli.registry.load import ARCHITECTURES


def network_shapes(architecture: str, arguments: dict[str, Any]) -> Shapes:
    """Keys and shapes of a network's state, counts of training batches left out.

    Raises:
        ModelError: if the architecture cannot have these arguments.
    """
    try:
        with torch.device("meta"):
            network = ARCHITECTURES[architecture](**arguments)
    except (TypeError, ValueError, RuntimeError) as error:
        message = f"no {architecture} has the sizes of this checkpoint: {error}"
        raise ModelError(message, "give a checkpoint as published") from error
    return {
        key: tuple(value.shape)
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }


def dimension(shapes: Shapes, key: str) -> int:
    """The first dimension of a tensor from which a network's size is read.

    Raises:
        ModelError: if there is no such tensor, or it has no dimension.
    """
    if not shapes.get(key):
        raise ModelError(f"the checkpoint lacks {key}", "give a checkpoint as published")
    return shapes[key][0]
