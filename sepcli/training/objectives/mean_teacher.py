"""Mean teacher: an average of the network's own past teaches it what nobody knows.

Tarvainen and Valpola (2017), "Mean teachers are better role models". The teacher network has
the moving average of the student's weights. It hears a source mixture alone and answers a phrase
about it; the student gets the same phrase, but hears all source mixtures together, and should
answer alike. The other source mixtures are the noise by which the two differ, and make the
teacher's task the easier one.

The teacher may be wrong. An answer is learnt from only where a CLAP agrees that it is what the
phrase says, where the cosine of their embeddings reaches a gate g. Over K phrases,

    L = 1/K  sum over k of  [ cos(a(y_k), e_k) >= g ] loss( M(t_k) X, y_k )
"""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor

from sepcli.training import config
from sepcli.training.loop.average import move_towards
from sepcli.training.losses import LOSSES
from sepcli.training.losses.comparison import Comparison
from sepcli.training.mixing.batch import Asking, Batch, Role
from sepcli.training.networks import Masker
from sepcli.training.objectives.base import Objective
from sepcli.training.objectives.compare import mean_where
from sepcli.training.teacher import Teacher


class MeanTeacher(Objective):
    """Learns phrases from an averaged copy of the network.

    Args:
        section: of the config.
        clap: judges the answers.

    Attributes:
        network: the averaged copy, in evaluation mode and without gradients; see `begin`.
    """

    asking = Asking(phrases=True, absent=1)
    network: Masker
    updates: Tensor

    def __init__(self, section: config.Semi, clap: Teacher) -> None:
        super().__init__()
        self.loss, self.clap = LOSSES[section.supervised.loss], clap
        self.gate, self.decay = section.gate, section.teacher_decay
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    def begin(self, masker: Masker) -> None:
        """The teacher begins as a copy."""
        self.network = deepcopy(masker).requires_grad_(False).eval()

    def train(self, mode: bool = True) -> MeanTeacher:
        """The teacher stays in evaluation mode."""
        super().train(mode)
        if hasattr(self, "network"):
            self.network.eval()
        return self

    def forward(self, masker: Masker, batch: Batch) -> dict[str, Tensor]:
        """`loss`, and the share of phrases whose answers were `accepted`."""
        phrases = batch.asks(Role.PHRASE)
        mixture = masker.spectrogram(batch.mixture)
        estimates = masker(mixture, batch.queries) * mixture[:, None]
        targets, cosines = torch.zeros_like(estimates), batch.targets.new_zeros(phrases.shape)
        if phrases.any():
            targets[phrases], cosines[phrases] = self.answers(batch, phrases)
        accepted = phrases & (cosines >= self.gate)
        samples = batch.mixture.shape[-1]
        losses = self.loss(Comparison(estimates, targets, mixture[:, None], masker, samples))
        return {
            "loss": mean_where(losses * accepted, phrases),
            "accepted": mean_where(accepted.to(cosines.dtype), phrases),
        }

    @torch.no_grad()
    def answers(self, batch: Batch, phrases: Tensor) -> tuple[Tensor, Tensor]:
        """What the teacher says to phrases when it hears their source mixtures alone.

        Args:
            batch: with parts.
            phrases: (batch, questions), bool; n of them are true.

        Returns:
            (n, bins, frames), complex; and how well they fit the phrases, (n,), cosines.
        """
        item = phrases.nonzero()[:, 0]
        heard = self.network.spectrogram(batch.parts[item, batch.part[phrases]])
        answers = self.network(heard, batch.queries[phrases][:, None]) * heard[:, None]
        waves = self.network.waveform(answers, batch.mixture.shape[-1])[:, 0]
        embeddings = self.clap.audio(waves, self.network.rate)
        return answers[:, 0], (embeddings * batch.targets[phrases]).sum(dim=-1)

    def after_step(self, masker: Masker) -> None:
        """Move the teacher towards the student."""
        move_towards(self.network.state_dict(), masker, self.decay, int(self.updates))
        self.updates += 1
