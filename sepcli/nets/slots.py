"""A network that answers queries, made to give a fixed number of stems."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sepcli.nets.band_unet import BandUNet


class SlottedBandUNet(BandUNet):
    """A BandUNet with learned queries in place of a user's.

    Args:
        stems: how many it gives.
        embedding: length of a query.
        widths: see `BandUNet`.
        hidden: see `BandUNet`.
        consistent: whether stems are made to sum to the mixture, as in mixture-invariant
            training: each takes its part of what is missing.
    """

    def __init__(
        self,
        stems: int,
        embedding: int = 256,
        widths: tuple[int, ...] = (32, 64, 96, 128),
        hidden: int = 160,
        consistent: bool = False,
    ) -> None:
        super().__init__(embedding, widths=widths, hidden=hidden, presence="none")
        self.directions = nn.Parameter(torch.randn(stems, embedding))
        self.consistent = consistent

    def forward(
        self,
        mixture: Tensor,
        queries: Tensor | None,  # noqa: ARG002  # all networks are called alike
        rate: int,
    ) -> tuple[Tensor, Tensor | None]:
        """Separate a batch of windows.

        Args:
            mixture: (batch, channels, samples).
            queries: none are answered.
            rate: sample rate in Hz, see `accepts`.

        Returns:
            stems (batch, stems, channels, samples), and None.
        """
        stems, _ = super().forward(mixture, F.normalize(self.directions, dim=-1), rate)
        if self.consistent:
            missing = mixture - stems.sum(dim=1)
            stems = stems + missing[:, None] / stems.shape[1]
        return stems, None
