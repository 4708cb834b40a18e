"""Mix and separate: source mixtures are mixed, and each is asked for by its caption.

Unsupervised, for nobody recorded the sources alone: only what was mixed together can be told
apart, and how a phrase about a single source is answered is left to the network's ability to
generalise (Zhao et al., 2018, "The sound of pixels"; Dong et al., 2023, "CLIPSep").

    L = mean over batch and parts n of  loss( M(t_n) X, X_n )
"""

from __future__ import annotations

from torch import Tensor

from sepcli.training import config
from sepcli.training.losses import LOSSES
from sepcli.training.losses.snr import snr_loss
from sepcli.training.mixing.batch import Asking, Batch, Role
from sepcli.training.networks import Masker
from sepcli.training.objectives.base import Objective
from sepcli.training.objectives.compare import compare, mean_where


class MixAndSeparate(Objective):
    """Learns from captions alone.

    Args:
        section: of the config.
    """

    asking = Asking(captions=True)

    def __init__(self, section: config.MixAndSeparate) -> None:
        super().__init__()
        self.loss = LOSSES[section.loss]

    def forward(self, masker: Masker, batch: Batch) -> dict[str, Tensor]:
        """`loss`, and `snr` of the source mixtures, dB."""
        pair = compare(masker, batch, self.estimates(masker, batch))
        captions = batch.asks(Role.CAPTION)
        snr = -snr_loss(pair.estimate.detach(), pair.target)
        return {
            "loss": mean_where(self.loss(pair), captions),
            "snr": mean_where(snr, captions),
        }
