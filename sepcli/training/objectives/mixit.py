"""Mixture-invariant training (Wisdom et al., 2020, "Unsupervised sound separation using mixture
invariant training").

A network hears the sum of N source mixtures and gives M outputs without names. Nobody knows the
sources, but they can be put together to the source mixtures: of all ways A to hand each output
to one of them, the best one counts (eq. 2 and 3 there; here the mean over mixtures, not the sum).

    L = min over A of  mean over n of  -SNR(x_n, sum_m A_nm s_m),
    SNR(x, y) = 10 log10( |x|^2 / (|x - y|^2 + t |x|^2) ),   t = 10^-3

Outputs are first made to sum to the mixture.
"""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F

from sepcli.training.losses.snr import THRESHOLD, energy, snr_loss
from sepcli.training.mixing.batch import Asking, Batch
from sepcli.training.networks import Masker
from sepcli.training.objectives.assignment import in_order
from sepcli.training.objectives.base import Objective
from sepcli.training.objectives.slots import Outputs, consistent


class MixIt(Objective):
    """Learns from source mixtures alone.

    Args:
        outputs: as many as there are sources in a mixture, or more: with fewer, some share one.
    """

    # Asked for `estimates` alone: the loss needs no questions.
    asking = Asking(phrases=True)

    def __init__(self, outputs: Outputs) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, masker: Masker, batch: Batch) -> dict[str, Tensor]:
        """Loss in dB; `snr` of the source mixtures as they were put together."""
        outputs = self.separated(masker, batch.mixture)
        parts = masker.spectrogram(batch.parts)
        taken = best_assignment(outputs, parts)
        together = torch.einsum("bnm,bmft->bnft", taken.to(outputs.dtype), outputs)
        loss = snr_loss(together, parts).mean()
        return {"loss": loss, "snr": -loss.detach()}

    def estimates(self, masker: Masker, batch: Batch) -> Tensor:
        """Outputs in the order of the sources that they fit best."""
        return in_order(self.separated(masker, batch.mixture), masker, batch)

    def separated(self, masker: Masker, wave: Tensor) -> Tensor:
        """(batch, samples) -> (batch, outputs, bins, frames), complex, summing to the mixture."""
        mixture = masker.spectrogram(wave)
        return consistent(self.outputs(masker, mixture), mixture)


def assignments(outputs: int, parts: int) -> Tensor:
    """All ways to hand each output to one part, (parts ** outputs, parts, outputs), 0 or 1."""
    receivers = torch.tensor(list(product(range(parts), repeat=outputs)))
    return F.one_hot(receivers, parts).transpose(1, 2).float()


@torch.no_grad()
def best_assignment(outputs: Tensor, parts: Tensor) -> Tensor:
    """The way with the least loss.

    No sum of outputs is formed to find it, for inner products tell every sum's error:

        |x - sum_m a_m s_m|^2 = |x|^2 - 2 sum_m a_m <x, s_m> + sum_mk a_m a_k <s_m, s_k>

    Args:
        outputs: (batch, outputs, bins, frames), complex.
        parts: (batch, parts, bins, frames), complex.

    Returns:
        (batch, parts, outputs), 0 or 1.
    """
    s, x = (torch.view_as_real(spec).flatten(2) for spec in (outputs, parts))
    ways = assignments(s.shape[1], x.shape[1]).to(s.device)
    across = torch.einsum("anm,bnm->ban", ways, x @ s.mT)
    within = torch.einsum("anm,bmk,ank->ban", ways, s @ s.mT, ways)
    power = energy(parts).clamp(min=torch.finfo(s.dtype).tiny)[:, None]
    error = (power - 2 * across + within).clamp(min=0) / power
    best = (error + THRESHOLD).log().sum(dim=-1).argmin(dim=1)
    return ways[best]
