"""Every question has its answer: the sources of the mixtures were recorded alone.

An answer is compared with the source that was asked for; where nothing in the mixture is what was
asked for, the answer should be silence. With S the questions about sources, and A those about
what is not there,

    L = ( sum over S of loss(y, s)  +  absent_weight * sum over A of silence(y) ) / ( |S| + |A| )

where silence is in dB of the mixture. Questions about sources that nobody recorded alone, and
padding, do not count.
"""

from __future__ import annotations

from torch import Tensor

from sepcli.training import config
from sepcli.training.losses import LOSSES
from sepcli.training.losses.silence import silence_loss
from sepcli.training.losses.snr import snr_loss
from sepcli.training.mixing.batch import Asking, Batch, Role
from sepcli.training.networks import Masker
from sepcli.training.objectives.base import Objective
from sepcli.training.objectives.compare import answerable, compare, mean_where


class Supervised(Objective):
    """Learns from known sources, and from what is not there.

    Args:
        section: of the config.
    """

    def __init__(self, section: config.Supervised) -> None:
        super().__init__()
        self.loss = LOSSES[section.loss]
        self.absent_weight = section.absent_weight
        self.asking = Asking(sampled=section.questions, absent_share=section.absent)

    def forward(self, masker: Masker, batch: Batch) -> dict[str, Tensor]:
        """`loss`; `snr` of answers about sources and `silence` of the others, dB."""
        pair = compare(masker, batch, self.estimates(masker, batch))
        here, gone = answerable(batch), batch.asks(Role.ABSENT)
        silence = silence_loss(pair.estimate, pair.mixture)
        losses = self.loss(pair) * here + self.absent_weight * silence * gone
        snr = -snr_loss(pair.estimate.detach(), pair.target)
        return {
            "loss": mean_where(losses, here | gone),
            "snr": mean_where(snr, here),
            "silence": mean_where(silence.detach(), gone),
        }
