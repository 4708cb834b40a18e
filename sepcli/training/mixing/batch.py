"""What a step of training sees: mixtures, and questions about them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

import torch
from torch import Tensor


class Role(IntEnum):
    """What a question is about."""

    CAPTION = 0  # a whole source mixture, by its caption
    PHRASE = 1  # one source of a source mixture
    ABSENT = 2  # what is not there
    PADDING = 3  # nothing: there were fewer questions to ask


@dataclass(frozen=True)
class Batch:
    """Mixtures of source mixtures, and questions about them.

    Attributes:
        mixture: (batch, samples), the sum of the parts.
        parts: (batch, parts, samples), the source mixtures.
        queries: (batch, questions, d), what the network is conditioned on.
        role: (batch, questions), a `Role` each.
        part: (batch, questions), the part that a caption or phrase is about; else -1.
        answers: (batch, questions, samples): the part for a caption, the source for a phrase;
            silent for absent queries, padding, and sources that nobody recorded alone.
        known: (batch, questions), bool: whether `answers` may be learnt from. True for captions
            and absent queries, false for padding.
        weight: (batch, questions), 1 / how often the phrase is asked about its part; 0 unless
            the question is a phrase. Weighted answers of a part's phrases sum to the part.
        meaning: (batch, questions), int64: equal numbers mean the same, also in other batches
            and processes; -1 unless the question is a phrase.
        targets: (batch, questions, embedding), of length 1: what is asked for, in the teacher's
            space and without noise; zero for padding.
    """

    mixture: Tensor
    parts: Tensor
    queries: Tensor
    role: Tensor
    part: Tensor
    answers: Tensor
    known: Tensor
    weight: Tensor
    meaning: Tensor
    targets: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        return Batch(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    def asks(self, role: Role) -> Tensor:
        """Which questions have a role, (batch, questions), bool."""
        return self.role == role


@dataclass(frozen=True)
class Asking:
    """Which questions an objective needs to be asked of every mixture.

    Attributes:
        captions: one question for every part.
        phrases: one for every source of every part, padded to the most that a part may have.
        absent: that many for what is not there.
        sampled: instead of the above, that many, the first of them about a source, the others
            about further sources or about what is not there.
        absent_share: of sampled questions.
    """

    captions: bool = False
    phrases: bool = False
    absent: int = 0
    sampled: int = 0
    absent_share: float = 0.0
