"""Permutation-invariant training (Yu et al., 2017; Kolbaek et al., 2017).

A network gives outputs without names. Their order is free: of all orders the one with the least
loss counts, and only it has a gradient. An output that no source is left for should be silent,
and is part of the assignment, as Wisdom et al. (2021, "What's all the fuss about free universal
sound separation data?") have it for mixtures of different numbers of sources.

    L = min over permutations p of  mean over m of  { loss(y_p(m), s_m)                  m a source
                                                    { silent_weight * silence(y_p(m))    else
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from sepcli.errors import UsageError
from sepcli.training import config
from sepcli.training.losses import LOSSES
from sepcli.training.losses.comparison import Comparison
from sepcli.training.losses.silence import silence_loss
from sepcli.training.losses.snr import snr_loss
from sepcli.training.mixing.batch import Asking, Batch, Role
from sepcli.training.networks import Masker
from sepcli.training.objectives.assignment import in_order, known_phrases, pit
from sepcli.training.objectives.base import Objective
from sepcli.training.objectives.compare import mean_where
from sepcli.training.objectives.slots import Outputs


class Pit(Objective):
    """Learns from known sources, in any order.

    Args:
        section: of the config.
        outputs: at least as many as a mixture has sources.
    """

    asking = Asking(phrases=True)

    def __init__(self, section: config.Pit, outputs: Outputs) -> None:
        super().__init__()
        self.loss, self.silent_weight = LOSSES[section.loss], section.silent_weight
        self.outputs = outputs

    def forward(self, masker: Masker, batch: Batch) -> dict[str, Tensor]:
        """`loss`, and `snr` of the sources, dB.

        A mixture with a source that nobody recorded alone does not count.

        Raises:
            UsageError: if a mixture has more sources than there are outputs.
        """
        mixture = masker.spectrogram(batch.mixture)
        outputs = self.outputs(masker, mixture)
        waves, there = self.sources(batch)
        sources = masker.spectrogram(waves)
        # Outputs in rows, sources in columns: all pairs are compared.
        rows, columns, whole = outputs[:, :, None], sources[:, None], mixture[:, None, None]
        pair = Comparison(rows, columns, whole, masker, batch.mixture.shape[-1])
        silence = self.silent_weight * silence_loss(rows, whole)
        pairwise = torch.where(there[:, None], self.loss(pair), silence)
        best = pit(pairwise)[:, None]
        snr = -snr_loss(rows, columns).detach().gather(1, best)[:, 0]
        counts = (batch.known | ~batch.asks(Role.PHRASE)).all(dim=1, keepdim=True)
        return {
            "loss": mean_where(pairwise.gather(1, best)[:, 0], counts.expand_as(there)),
            "snr": mean_where(snr, there & counts),
        }

    def sources(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """As many as outputs, (batch, outputs, samples), silent where there are no more; and
        which of them are sources, (batch, outputs)."""
        asked, count = known_phrases(batch), self.outputs.outputs
        if (most := int(asked.sum(dim=1).max())) > count:
            message = f"a mixture has {most} sources, and objective pit {count} outputs"
            raise UsageError(message, f"set `outputs: {most}`, or mix fewer sources")
        missing = max(0, count - asked.shape[1])
        asked, answers = F.pad(asked, (0, missing)), F.pad(batch.answers, (0, 0, 0, missing))
        first = asked.int().argsort(dim=1, descending=True, stable=True)[:, :count]
        there = asked.gather(1, first)
        chosen = answers.gather(1, first[..., None].expand(-1, -1, answers.shape[-1]))
        return chosen * there[..., None], there

    def estimates(self, masker: Masker, batch: Batch) -> Tensor:
        """Outputs in the order of the sources that they fit best."""
        outputs = self.outputs(masker, masker.spectrogram(batch.mixture))
        return in_order(outputs, masker, batch)
