"""Bi-modal weak supervision: no single source is ever known, but a CLAP hears them.

Mixtures x of N source mixtures x_n, each with a caption t_n and phrases t_nk about its sources.
A network with masks M is taught by three terms:

    separation   what M(t_n) lets through should be x_n (mix and separate);
    consistency  what all M(t_nk) let through together should be x_n;
    contrast     what M(t_nk) lets through should sound, to a frozen CLAP, like t_nk and not like
                 the other phrases of the batch.

    L = contrast_weight CNT + consistency_weight CRL + separation_weight URL

Mahmud, Amizadeh, Koishida and Marculescu: "Weakly-supervised Audio Separation via Bi-modal
Semantic Similarity", ICLR 2024, arXiv 2404.01740. Setting `paper` is the objective of its public
code, see `weak_paper`; `ours` mends what we think is wrong with it, see `weak_ours`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sepcli.training import config
from sepcli.training.losses.silence import silence_loss
from sepcli.training.losses.snr import snr_loss
from sepcli.training.mixing.batch import Asking, Batch, Role
from sepcli.training.networks import Masker
from sepcli.training.objectives import weak_ours, weak_paper
from sepcli.training.objectives.base import Objective
from sepcli.training.objectives.compare import mean_where
from sepcli.training.objectives.hearing import Hearing, Phrases, hear, listen
from sepcli.training.teacher import Teacher

WEIGHTS = {  # of the terms, in the config
    "contrast": "contrast_weight",
    "consistency": "consistency_weight",
    "separation": "separation_weight",
    "silence": "absent_weight",
}


class Weak(Objective):
    """Learns from captions, and from what a CLAP makes of the answers to phrases.

    Args:
        section: of the config.
        teacher: the CLAP, on the device where the network will be.
    """

    def __init__(self, section: config.Weak, teacher: Teacher) -> None:
        super().__init__()
        self.section, self.teacher = section, teacher
        absent = section.absent if section.setting == "ours" else 0
        self.asking = Asking(captions=True, phrases=True, absent=absent)

    def forward(self, masker: Masker, batch: Batch) -> dict[str, Tensor]:
        """`loss`, its terms before they are weighted, and `snr` of the source mixtures, dB."""
        heard = hear(masker, batch)
        by_the_paper = self.section.setting == "paper"
        phrases = listen(heard, batch, self.teacher, as_waves=by_the_paper)
        if by_the_paper:
            factor, terms = weak_paper.FACTOR, self.paper_terms(heard, phrases)
        else:
            factor, terms = 1.0, self.our_terms(heard, phrases, batch)
        weights = self.section.model_dump()
        weighted = [weights[WEIGHTS[name]] * term for name, term in terms.items()]
        snr = -snr_loss(heard.captions.detach() * heard.mixture, heard.parts)
        figures = {name: term.detach() for name, term in terms.items()}
        figures["snr"] = mean_where(snr, heard.asked)
        return {"loss": factor * torch.stack(weighted).sum(), **figures}

    def paper_terms(self, heard: Hearing, phrases: Phrases) -> dict[str, Tensor]:
        """CNT, CRL and URL."""
        parts = heard.parts.shape[1]
        name, scale = self.section.contrast, self.teacher.scale
        return {
            "contrast": weak_paper.agreement(phrases, parts, scale, name),
            "consistency": weak_paper.consistency(heard),
            "separation": weak_paper.separation(heard),
        }

    def our_terms(self, heard: Hearing, phrases: Phrases, batch: Batch) -> dict[str, Tensor]:
        """The same ideas in other formulas, and silence for absent queries."""
        terms = {
            "contrast": weak_ours.agreement(phrases, self.teacher.scale, self.section.contrast),
            "consistency": weak_ours.consistency(heard),
            "separation": weak_ours.separation(heard),
        }
        if self.section.absent:
            silence = silence_loss(heard.masks * heard.mixture, heard.mixture)
            terms["silence"] = mean_where(silence, batch.asks(Role.ABSENT))
        return terms
