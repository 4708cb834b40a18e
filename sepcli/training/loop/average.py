"""An exponential moving average of weights, which generalises better than the last ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Average:
    """Averaged weights and buffers of a module.

    At update n (from 0) the average moves towards the weights by 1 - d, where
    d = min(decay, (1 + n) / (10 + n)): early weights are forgotten quickly. Integer buffers
    are copied.

    Args:
        module: whose present state is the first average.
        decay: d in the long run.

    Attributes:
        state: the average, with the keys of the module's state_dict.
        updates: how many there were.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.state = {key: value.clone() for key, value in module.state_dict().items()}

    def update(self, module: nn.Module) -> None:
        """Move towards the module's present state."""
        move_towards(self.state, module, self.decay, self.updates)
        self.updates += 1

    @contextmanager
    def lent(self, module: nn.Module) -> Iterator[None]:
        """Let a module have the averaged weights for a while, in evaluation mode."""
        own = {key: value.clone() for key, value in module.state_dict().items()}
        training = module.training
        module.load_state_dict(self.state)
        module.eval()
        try:
            yield
        finally:
            module.load_state_dict(own)
            module.train(training)

    def load(self, state: dict[str, Tensor], updates: int) -> None:
        """Go back to an average after so many updates."""
        for key, value in state.items():
            self.state[key].copy_(value)
        self.updates = updates


@torch.no_grad()
def move_towards(
    average: Mapping[str, Tensor], module: nn.Module, decay: float, updates: int
) -> None:
    """Move an average towards a module's present state, see `Average`.

    Args:
        average: with the keys of the module's state_dict, changed in place.
        module: whose weights are averaged.
        decay: in the long run.
        updates: how many there were before.
    """
    decay = min(decay, (1 + updates) / (10 + updates))
    for key, value in module.state_dict().items():
        if value.is_floating_point():
            average[key].lerp_(value, 1 - decay)
        else:
            average[key].copy_(value)
