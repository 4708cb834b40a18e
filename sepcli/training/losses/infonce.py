"""InfoNCE with any number of right answers (van den Oord et al., 2018; Khosla et al., 2020)."""

from __future__ import annotations

import torch
from torch import Tensor

from sepcli.training.losses.similarity import similarities


def contrast(audio: Tensor, texts: Tensor, positives: Tensor, scale: Tensor | float) -> Tensor:
    """How far a sound's chances of the texts are from its right ones.

    The chances p are a softmax over texts. Khosla et al. (2020, eq. 2) make small the cross-entropy
    of the uniform distribution u over the right answers; here its entropy, which no embedding can
    change, is subtracted, so that the least value is 0 with several right answers as with one:

        KL(u | p) = sum_j u_j (log u_j - log p_j)

    Args:
        audio: (sounds, embedding), of length 1.
        texts: (texts, embedding), of length 1.
        positives: (sounds, texts), whether a text describes the sound; at least one does.
        scale: inverse temperature.

    Returns:
        the mean over sounds; 0 if there are none.
    """
    log_chance = similarities(audio, texts, scale).log_softmax(dim=1)
    share = positives.to(log_chance.dtype) / positives.sum(dim=1, keepdim=True)
    return (torch.xlogy(share, share) - share * log_chance).sum() / max(1, len(audio))


def symmetric_contrast(
    audio: Tensor, texts: Tensor, positives: Tensor, scale: Tensor | float
) -> Tensor:
    """The mean of `contrast` of sounds over texts and of texts over sounds, as CLIP has it
    (Radford et al., 2021, fig. 3)."""
    of_sounds = contrast(audio, texts, positives, scale)
    return (of_sounds + contrast(texts, audio, positives.T, scale)) / 2
