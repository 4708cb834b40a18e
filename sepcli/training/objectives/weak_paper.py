"""The bi-modal objective as the paper's public code computes it, term for term.

With X = |STFT x| of the mixture, X_n of source mixture n, M(.) the mask for a text, w_nk the weight
of a phrase, and L1w(a, b; w) = mean over batch, bins and frames of w |a - b|:

    URL = sum_n L1w( X M(t_n),                 X_n;  w(X)   )
    CRL = sum_n L1w( sum_k w_nk X M(t_nk),     X_n;  w(X_n) )
    CNT = sum_n CE( exp(s) A_n E_n^T,  i -> i )
    L   = 0.5 CNT + 5 (CRL + URL)

The weight w(A) = clamp(log(1 + A), 1e-3, 10) is of the mixture in one term and of the target in the
other; what is summed are magnitudes, not spectra. A_n holds the CLAP's embeddings of the answers to
the phrases of the n-th source mixtures of the batch, with the mixture's phase, E_n those of the
phrases themselves, and exp(s) is the CLAP's own scale. Sounds choose among texts only, and a phrase
that is asked twice is a wrong answer to itself: with 3 equal texts among 6 the best CE is 0.55. The
one liberty is that processes see each other's phrases.

The last line is 5 (0.1 CNT + CRL + URL): FACTOR times the weights of the config.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from sepcli.training.losses.auc import auc_loss
from sepcli.training.losses.comparison import paper_magnitude
from sepcli.training.losses.infonce import contrast
from sepcli.training.losses.magnitude import l1, loudness_weight
from sepcli.training.objectives.compare import mean_where
from sepcli.training.objectives.hearing import Hearing, Phrases

FACTOR = 5.0
CONTRASTS: dict[str, Callable[..., Tensor]] = {"infonce": contrast, "auc": auc_loss}


def separation(heard: Hearing) -> Tensor:
    """URL."""
    mixture, parts = magnitudes(heard)
    return sum_over_parts(l1(heard.captions * mixture, parts, loudness_weight(mixture)), heard)


def consistency(heard: Hearing) -> Tensor:
    """CRL."""
    mixture, parts = magnitudes(heard)
    return sum_over_parts(l1(heard.phrases * mixture, parts, loudness_weight(parts)), heard)


def sum_over_parts(values: Tensor, heard: Hearing) -> Tensor:
    """And the mean over mixtures that anything is asked about, of (batch, parts)."""
    return values.shape[1] * mean_where(values, heard.asked)


def magnitudes(heard: Hearing) -> tuple[Tensor, Tensor]:
    """X, (batch, 1, bins, frames), and X_n, (batch, parts, bins, frames)."""
    mixture, parts = (paper_magnitude(x, heard.masker) for x in (heard.mixture, heard.parts))
    return mixture, parts


def agreement(phrases: Phrases, parts: int, scale: float, name: str) -> Tensor:
    """CNT, or the same with another contrast."""
    rows = [phrases.about(part) for part in range(parts)]
    contrasts = [CONTRASTS[name](x.audio, x.texts, itself(x.texts), scale) for x in rows]
    return torch.stack(contrasts).sum()


def itself(texts: Tensor) -> Tensor:
    """The right answer to each phrase's sound: that phrase, (phrases, phrases), 0 or 1."""
    return torch.eye(len(texts), dtype=texts.dtype, device=texts.device)
