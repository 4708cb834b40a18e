"""CLIPSep's mix and separate, with noise-invariant training (Dong et al., 2023, arXiv 2212.07065).

With X = |STFT x| of a mixture on log-frequency rows, X_n of its parts, q_n the mask logits of the
part's caption and s the sigmoid, a bin should be multiplied by

    binary:  G_n = 1 where X_n > X / 2, else 0        ratio:  G_n = X_n / sum_m X_m

and the loss of an answer P is the cross-entropy weighted by w(X) = clamp(log(1 + X), 1e-3, 10),

    BCE(P, G) = - mean over rows and frames of  w(X) ( G log P + (1 - G) log(1 - P) ).

Plain: L = mean over batch and parts of BCE( s(q_n), G_n ).

Noise-invariant, for two parts: what is heard in a recording is not only what its caption says. Two
noise heads, told the mean of both queries, may take the remainder, in whichever order fits best;
what they claim beyond a quarter of all bins is punished, or else they would claim everything:

    L =   mean over batch of  min over pairings p of
              mean over n of  BCE( min(1, s(q_n) + s(z_p(n))), G_n )
        + noise_weight max(0, mean( s(z_1) + s(z_2) ) - noise_level).

The heads are not used after training. The authors' code divides ratio masks by a sum over the
batch, not over the parts; this is what it means to do.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from sepcli.nets.clipsep import FAINTEST, ROWS, to_log_rows
from sepcli.training import config
from sepcli.training.losses.magnitude import loudness_weight
from sepcli.training.losses.snr import snr_loss
from sepcli.training.mixing.batch import Asking, Batch, Role
from sepcli.training.networks import ClipSepMasker, Masker
from sepcli.training.objectives.base import Objective
from sepcli.training.objectives.compare import mean_where

HALF = 0.5  # of the mixture's magnitude, which a part must exceed to own a bin


class ClipSep(Objective):
    """Learns from captions alone, on CLIPSep's network.

    Args:
        section: of the config.
    """

    asking = Asking(captions=True)

    def __init__(self, section: config.ClipSep) -> None:
        super().__init__()
        self.section = section

    def forward(self, masker: Masker, batch: Batch) -> dict[str, Tensor]:
        """`loss`, and `snr` of the source mixtures, dB; with noise heads also `noise`, the share
        of bins that they claim together.

        A mixture counts if there is a caption for each of its parts.
        """
        assert isinstance(masker, ClipSepMasker)
        network = masker.network
        mixture, parts = masker.spectrogram(batch.mixture), masker.spectrogram(batch.parts)
        rows = network.on_rows(mixture.abs())
        queries, asked = captions(batch)
        logits, noise = network.logits_and_noise(rows, queries)
        masks, weight = logits.sigmoid(), loudness_weight(rows)[:, None]
        wanted = TARGETS[self.section.mask](rows[:, None], to_log_rows(parts.abs(), ROWS))
        answers = network.on_bins(masks.detach()) * mixture[:, None]
        snr = mean_where(-snr_loss(answers, parts), asked[:, None].expand(-1, parts.shape[1]))
        if not self.section.noise_invariant:
            loss = cross_entropy(masks, wanted, weight).mean(dim=1)
            return {"loss": mean_where(loss, asked), "snr": snr}
        claims = noise.sigmoid()
        claimed = claims.sum(dim=1).mean()
        loss = mean_where(noise_invariant(masks, claims, wanted, weight), asked)
        excess = self.section.noise_weight * F.relu(claimed - self.section.noise_level)
        return {"loss": loss + excess, "snr": snr, "noise": claimed.detach()}


def captions(batch: Batch) -> tuple[Tensor, Tensor]:
    """What asks for the parts.

    Returns:
        the query of every part's caption, (batch, parts, d), and which mixtures lack none of
        them, (batch,).
    """
    numbers = torch.arange(batch.parts.shape[1], device=batch.part.device)
    asks = batch.asks(Role.CAPTION)[..., None] & (batch.part[..., None] == numbers)
    queries = torch.einsum("bqn,bqd->bnd", asks.to(batch.queries.dtype), batch.queries)
    return queries, asks.any(dim=1).all(dim=1)


def binary_masks(mixture: Tensor, parts: Tensor) -> Tensor:
    """Which bins a part owns, (batch, parts, rows, frames), 0 or 1."""
    return (parts > HALF * mixture).to(parts.dtype)


def ratio_masks(mixture: Tensor, parts: Tensor) -> Tensor:  # noqa: ARG001  # as binary ones
    """A part's share of every bin, (batch, parts, rows, frames), from 0 to 1."""
    return parts / parts.sum(dim=1, keepdim=True).clamp(min=FAINTEST)


TARGETS = {"binary": binary_masks, "ratio": ratio_masks}


def cross_entropy(masks: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """BCE, (batch, parts, rows, frames) -> (batch, parts)."""
    values = F.binary_cross_entropy(masks, wanted, weight.expand_as(wanted), reduction="none")
    return values.mean((-2, -1))


def noise_invariant(masks: Tensor, claims: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """The better of both pairings of captions and noise heads.

    Args:
        masks: (batch, 2, rows, frames), of the captions.
        claims: (batch, 2, rows, frames), of the noise heads.
        wanted: (batch, 2, rows, frames).
        weight: (batch, 1, rows, frames).

    Returns:
        (batch,)
    """
    straight, crossed = (
        cross_entropy((masks + heads).clamp(max=1.0), wanted, weight).mean(dim=1)
        for heads in (claims, claims.flip(1))
    )
    return torch.minimum(straight, crossed)
