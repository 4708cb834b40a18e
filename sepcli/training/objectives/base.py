"""What all objectives have in common."""

from __future__ import annotations

from torch import Tensor, nn

from sepcli.training.mixing.batch import Asking, Batch
from sepcli.training.networks import Masker


class Objective(nn.Module):
    """What a network learns from.

    Parameters of an objective are trained with the network; a frozen CLAP is no submodule of it.

    Attributes:
        asking: the questions that it needs.
    """

    asking: Asking

    def forward(self, masker: Masker, batch: Batch) -> dict[str, Tensor]:
        """Scalars: `loss`, to be made small, and detached figures.

        A figure is a mean over a number of items or questions that the config fixes, so that the
        mean over processes is that of their batches together.
        """
        raise NotImplementedError

    def estimates(self, masker: Masker, batch: Batch) -> Tensor:
        """What the network answers, (batch, questions, bins, frames), complex.

        Outputs without names are put in the order of the questions that fits best.
        """
        mixture = masker.spectrogram(batch.mixture)
        masks: Tensor = masker(mixture, batch.queries)
        return masks * mixture[:, None]

    def begin(self, masker: Masker) -> None:
        """Called once, with the network as training finds it."""

    def after_step(self, masker: Masker) -> None:
        """Called when the optimiser has moved the network."""
