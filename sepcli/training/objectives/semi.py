"""Semi-supervised learning: some items are mixtures of known sources, the others are not.

    L = lambda_s L_s + lambda_u L_u

L_s is the supervised loss, a mean over the questions about mixtures of known sources, and L_u,
a mean over the other mixtures, is the bi-modal objective (Mahmud et al., 2024, arXiv 2404.01740,
whose public code leaves this mode out) or that of a mean teacher. The network answers all of
them in one call: were it called for each kind alone, batch normalisation would learn two
statistics in turn, and use their average afterwards, which fits neither.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from sepcli.training import config
from sepcli.training.mixing.batch import Batch, Role
from sepcli.training.networks import Masker
from sepcli.training.objectives.assignment import known_phrases
from sepcli.training.objectives.base import Objective
from sepcli.training.objectives.mean_teacher import MeanTeacher
from sepcli.training.objectives.supervised import Supervised
from sepcli.training.objectives.weak import Weak
from sepcli.training.teacher import Teacher


class Semi(Objective):
    """Learns from known sources, and from captions of what nobody recorded alone.

    Args:
        section: of the config.
        teacher: the CLAP.
    """

    def __init__(self, section: config.Semi, teacher: Teacher) -> None:
        super().__init__()
        self.lambda_s, self.lambda_u = section.lambda_s, section.lambda_u
        self.supervised = Supervised(section.supervised)
        self.unsupervised: Objective = (
            Weak(section.weak, teacher) if section.semi == "weak" else MeanTeacher(section, teacher)
        )
        self.asking = self.unsupervised.asking

    def begin(self, masker: Masker) -> None:
        """What the unsupervised part needs of the network."""
        self.unsupervised.begin(masker)

    def forward(self, masker: Masker, batch: Batch) -> dict[str, Tensor]:
        """`loss`, and all figures of both parts, named `known_...` and `unknown_...`."""
        answered = Answered(masker, masker(masker.spectrogram(batch.mixture), batch.queries))
        known = known_phrases(batch).any(dim=1)
        parts = {
            "known": self.supervised(answered, only(batch, known)),
            "unknown": self.unsupervised(answered, only(batch, ~known)),
        }
        loss = self.lambda_s * parts["known"]["loss"] + self.lambda_u * parts["unknown"]["loss"]
        figures = {
            f"{part}_{name}": value.detach()
            for part, values in parts.items()
            for name, value in values.items()
        }
        return {"loss": loss, **figures}

    def after_step(self, masker: Masker) -> None:
        """Averages of the unsupervised part."""
        self.unsupervised.after_step(masker)


class Answered(Masker):
    """A network that was asked a batch's questions before.

    Args:
        masker: the network.
        masks: (batch, questions, bins, frames), what it said.
    """

    def __init__(self, masker: Masker, masks: Tensor) -> None:
        super().__init__()
        self.rate, self._masker, self._masks = masker.rate, masker, masks

    def spectrogram(self, wave: Tensor) -> Tensor:
        """The network's."""
        return self._masker.spectrogram(wave)

    def waveform(self, spec: Tensor, samples: int) -> Tensor:
        """The network's."""
        return self._masker.waveform(spec, samples)

    def forward(self, *_: Tensor) -> Tensor:
        """What it said then."""
        return self._masks


def only(batch: Batch, items: Tensor) -> Batch:
    """The same batch with nothing asked about the other items.

    It keeps its size, which may have to be that of other processes.

    Args:
        batch: all items.
        items: (batch,), bool.
    """
    asked = items[:, None]
    return replace(
        batch,
        role=batch.role.where(asked, Role.PADDING),
        part=batch.part.where(asked, -1),
        known=batch.known & asked,
        weight=batch.weight.where(asked, 0.0),
        meaning=batch.meaning.where(asked, -1),
    )
