"""The bi-modal objective with what we think is wrong in the paper's mended.

Separation: the signal-to-noise ratio of X M(t_n) against the complex X_n, in dB. It sees phases and
does not depend on the level of the recording, as an L1 weighted by log(1 + A) does.

Consistency: with M_n = sum_k w_nk M(t_nk), what the answers to a part's phrases let through is
M_n X = M_n X_n + M_n (X - X_n), for a mask filters each part of the mixture alike. So their error
comes apart into what leaks in from the other parts and what is left behind of their own,

    X_n - M_n X  =  (1 - M_n) X_n  -  M_n (X - X_n)  =  residual - leak,

and both are known, although no single source is. Answers and residual always sum to the part. A
caption does not name everything that can be heard: what is left behind is nobody's, and free, as
long as it is RESIDUAL_DB below the part. A leak never is.

    10 log10( ( |leak|^2 + max(0, |residual|^2 - r |X_n|^2) ) / |X_n|^2 + t ),   r = 0.01

The product of residual and leak is left out: sounds from different recordings have none on average,
and without it the best mask is the Wiener filter |X_n|^2 / (|X_n|^2 + |X - X_n|^2), bin by bin.
M_n above 1, when several phrases claim the same sound, is a residual too.

Contrast: sounds choose among the different meanings asked for in the whole batch, of all parts and
processes, and meanings choose among sounds; whatever shares a meaning is right. Its least value is
0, however often a phrase is repeated. Padding is not heard. A meaning's text embedding is the mean
of those of its phrases.

Silence: what an absent query lets through, in dB of the mixture.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from sepcli.training.losses.auc import auc_loss
from sepcli.training.losses.infonce import symmetric_contrast
from sepcli.training.losses.snr import energy, ratio_db, snr_loss
from sepcli.training.objectives.compare import mean_where
from sepcli.training.objectives.hearing import Hearing, Phrases

RESIDUAL_DB = -20.0
CONTRASTS: dict[str, Callable[..., Tensor]] = {"infonce": symmetric_contrast, "auc": auc_loss}


def separation(heard: Hearing) -> Tensor:
    """Mean over batch and parts, dB."""
    return mean_where(snr_loss(heard.captions * heard.mixture, heard.parts), heard.asked)


def consistency(heard: Hearing) -> Tensor:
    """Mean over batch and parts, dB."""
    whole = energy(heard.parts)
    leak = energy(heard.phrases * (heard.mixture - heard.parts))
    residual = energy((1 - heard.phrases) * heard.parts)
    excess = F.relu(residual - 10 ** (RESIDUAL_DB / 10) * whole)
    return mean_where(ratio_db(leak + excess, whole), heard.asked)


def agreement(phrases: Phrases, scale: float, name: str) -> Tensor:
    """The contrast of sounds and meanings."""
    texts, positives = unique(phrases)
    return CONTRASTS[name](phrases.audio, texts, positives, scale)


def unique(phrases: Phrases) -> tuple[Tensor, Tensor]:
    """The different meanings.

    Returns:
        (meanings, embedding), of length 1; and which phrase has which, (phrases, meanings), 0 or 1.
    """
    meanings, index = phrases.meaning.unique(return_inverse=True)
    texts = phrases.texts.new_zeros(len(meanings), phrases.texts.shape[1])
    texts = F.normalize(texts.index_add(0, index, phrases.texts), dim=-1)
    return texts, (phrases.meaning[:, None] == meanings).to(texts.dtype)
