"""The area under the ROC curve of a joint space, as something to be made large.

Of a right and a wrong pair of sound and text, drawn at random, the right one should be more alike.
The share of draws in which it is not is 1 - AUC, which is the statistic of Mann and Whitney (1947)
over the number of draws (Hanley and McNeil, 1982). The share has no gradient; Yan et al. (2003)
put a smooth function of the margin in place of the step, and the logistic one leads to the largest
AUC in the limit (Gao and Zhou, 2015).
"""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional as F

from sepcli.training.losses.similarity import similarities


def auc_loss(audio: Tensor, texts: Tensor, positives: Tensor, scale: Tensor | float) -> Tensor:
    """A bound of 1 - AUC from above, the mean over right pairs i and wrong pairs j of

        log2( 1 + exp(s_j - s_i) ),   s = scale * cosine

    It is 1 where nothing is told apart, and needs no direction: pairs are of both.

    Args:
        audio: (sounds, embedding), of length 1.
        texts: (texts, embedding), of length 1.
        positives: (sounds, texts), whether a text describes the sound.
        scale: inverse temperature.

    Returns:
        a scalar; 0 if no pair is wrong, or none right.
    """
    scores, right = similarities(audio, texts, scale), positives.bool()
    margins = scores[right][:, None] - scores[~right]
    return F.softplus(-margins).sum() / (math.log(2) * max(1, margins.numel()))
