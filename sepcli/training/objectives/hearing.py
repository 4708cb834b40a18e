"""What one call of a network gives for all questions about source mixtures, and how it sounds."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from sepcli.training.loop.distributed import gathered
from sepcli.training.mixing.batch import Batch, Role
from sepcli.training.networks import Masker
from sepcli.training.teacher import SmallTeacher, Teacher


@dataclass(frozen=True)
class Hearing:
    """Masks, added up to what they should give together.

    Attributes:
        masker: that gave them.
        mixture: (batch, 1, bins, frames), complex.
        parts: (batch, parts, bins, frames), complex; they sum to the mixture.
        masks: (batch, questions, bins, frames).
        captions: (batch, parts, bins, frames), the masks of the parts' captions.
        phrases: (batch, parts, bins, frames), the weighted sums of the masks of their phrases.
        asked: (batch, parts), bool: whether anything is asked about a part. What is not asked
            about teaches nothing.
    """

    masker: Masker
    mixture: Tensor
    parts: Tensor
    masks: Tensor
    captions: Tensor
    phrases: Tensor
    asked: Tensor


def hear(masker: Masker, batch: Batch) -> Hearing:
    """Ask the network everything at once."""
    mixture, parts = masker.spectrogram(batch.mixture), masker.spectrogram(batch.parts)
    masks: Tensor = masker(mixture, batch.queries).to(mixture.real.dtype)
    of_part = F.one_hot(batch.part.clamp(min=0), parts.shape[1]).to(masks.dtype)
    weights = batch.asks(Role.CAPTION).to(masks.dtype), batch.weight.to(masks.dtype)
    captions, phrases = (
        torch.einsum("bq,bqn,bqft->bnft", weight, of_part, masks) for weight in weights
    )
    asked = torch.einsum("bq,bqn->bn", weights[0], of_part) > 0
    return Hearing(masker, mixture[:, None], parts, masks, captions, phrases, asked)


@dataclass(frozen=True)
class Phrases:
    """The questions about single sources, of all processes.

    Attributes:
        audio: (phrases, embedding), of the answers' sound, of length 1.
        texts: (phrases, embedding), of what was asked for, of length 1.
        part: (phrases,)
        meaning: (phrases,), see `Batch`.
    """

    audio: Tensor
    texts: Tensor
    part: Tensor
    meaning: Tensor

    def about(self, part: int) -> Phrases:
        """Those about one part of their mixture."""
        rows = self.part == part
        return Phrases(self.audio[rows], self.texts[rows], self.part[rows], self.meaning[rows])


def listen(heard: Hearing, batch: Batch, teacher: Teacher, as_waves: bool = False) -> Phrases:
    """The teacher's embeddings of the answers to phrases, with a gradient to the masks.

    Args:
        heard: what the network answers.
        batch: what it was asked.
        teacher: the CLAP.
        as_waves: go back to waveforms also where the network's spectrograms are what the teacher
            hears, see `SmallTeacher.spectra`.
    """
    rows = batch.asks(Role.PHRASE)
    audio = embedded(heard, rows, batch.mixture.shape[-1], teacher, as_waves)
    columns = (audio, batch.targets, batch.part.where(rows, -1), batch.meaning)
    audio, texts, part, meaning = (gathered(column.flatten(0, 1)) for column in columns)
    everybodys = part >= 0
    return Phrases(*(column[everybodys] for column in (audio, texts, part, meaning)))


def embedded(
    heard: Hearing, rows: Tensor, samples: int, teacher: Teacher, as_waves: bool
) -> Tensor:
    """(batch, questions, embedding): of the answers to some questions, and zero for the others."""
    # Without a path to the network here, other processes would wait for its gradient.
    audio = (heard.masks[..., :1, :1].sum() * 0).expand(*rows.shape, teacher.dimension).clone()
    if rows.any():
        estimates = (heard.masks * heard.mixture)[rows]
        if isinstance(teacher, SmallTeacher) and heard.masker.as_clap and not as_waves:
            sounds = teacher.spectra(estimates)
        else:
            waves = heard.masker.waveform(estimates, samples)
            sounds = teacher.audio(waves, heard.masker.rate)
        audio[rows] = sounds.to(audio.dtype)
    return audio
