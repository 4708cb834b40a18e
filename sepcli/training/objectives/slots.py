"""Outputs without names: how a network gives a fixed number of them.

An objective on such outputs takes any module that is called with a masker and spectrograms and
gives `Outputs.outputs` spectrograms for each. A network with heads of its own needs no more than
such a module around it, `OwnOutputs`; one that answers queries is asked by `Slots`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sepcli.training.config import NetworkConfig
from sepcli.training.networks import Masker, is_asked
from sepcli.training.teacher import Teacher


class Outputs(nn.Module):
    """What makes outputs of a network.

    Attributes:
        outputs: how many.
    """

    outputs: int

    def forward(self, masker: Masker, mixture: Tensor) -> Tensor:
        """(batch, bins, frames) -> (batch, outputs, bins, frames), both complex."""
        raise NotImplementedError


class Slots(Outputs):
    """Learned queries of length 1, as the queries of texts are, in place of them.

    They begin in random directions: alike they would be answered alike, and stay so.

    Args:
        outputs: how many.
        embedding: length of the network's queries.
    """

    def __init__(self, outputs: int, embedding: int) -> None:
        super().__init__()
        self.outputs = outputs
        self.directions = nn.Parameter(torch.randn(outputs, embedding))

    def forward(self, masker: Masker, mixture: Tensor) -> Tensor:
        """Masked mixtures."""
        queries = F.normalize(self.directions, dim=-1)
        masks: Tensor = masker(mixture, queries.expand(len(mixture), -1, -1))
        return masks * mixture[:, None]


class OwnOutputs(Outputs):
    """Those of a network that answers no queries.

    Args:
        outputs: how many it has.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, masker: Masker, mixture: Tensor) -> Tensor:
        """Masked mixtures."""
        nothing = mixture.real.new_zeros(len(mixture), 0, 0)
        masks: Tensor = masker(mixture, nothing)
        return masks * mixture[:, None]


def outputs_of(network: NetworkConfig, outputs: int, teacher: Teacher) -> Outputs:
    """A network's own outputs, or those of one that is asked, by queries like a teacher's."""
    return slots(outputs, teacher) if is_asked(network) else OwnOutputs(outputs)


def slots(outputs: int, teacher: Teacher) -> Slots:
    """For a network whose queries a teacher makes."""
    return Slots(outputs, teacher.queries(["a sound"]).shape[-1])


def consistent(outputs: Tensor, mixture: Tensor) -> Tensor:
    """The nearest outputs that sum to the mixture: each takes its part of what is missing.

    Mixture consistency of Wisdom et al. (2019, "Differentiable consistency constraints for
    improved deep speech enhancement"), with equal weights.

    Args:
        outputs: (batch, outputs, bins, frames).
        mixture: (batch, bins, frames).
    """
    missing = mixture - outputs.sum(dim=1)
    return outputs + missing[:, None] / outputs.shape[1]
