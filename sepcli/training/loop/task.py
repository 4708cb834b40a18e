"""What the loop needs to know of what it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import nn


@dataclass(frozen=True)
class Group:
    """Parameters that learn at the same rate.

    Attributes:
        parameters: all with requires_grad.
        scale: of the config's learning rate.
    """

    parameters: list[nn.Parameter]
    scale: float = 1.0


class Movable(Protocol):
    """A batch: it can be sent to a device."""

    def to(self, device: torch.device) -> Any: ...


class Task(Protocol):
    """A training, without its steps.

    Attributes:
        module: called with a batch it returns scalars: `loss`, which has a gradient, and figures.
            Its state_dict is all that is trained, averaged, and kept in checkpoints.
        select: the validation figure that decides what is best, unless the config says another.
    """

    module: nn.Module
    select: str

    def groups(self) -> list[Group]:
        """What is optimised; with several processes, all of it must be used in every step."""
        ...

    def batch(self, draw: int, first: int, size: int) -> Movable:
        """Items `first` to `first + size` of a draw, on the CPU.

        Every item is decided by the config's seed, the draw and the item's own number, and by
        nothing else: two processes with half of a batch each see what one sees with all of it.
        """
        ...

    def validate(self, module: nn.Module) -> dict[str, float]:
        """Figures of a module like `module`, in evaluation mode and without gradients."""
        ...

    def after_step(self) -> None:
        """Called when the optimiser has moved the module."""
        ...
