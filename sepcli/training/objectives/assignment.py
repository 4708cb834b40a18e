"""Which output stands for which source, where nobody says."""

from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from sepcli.training.losses.snr import snr_loss
from sepcli.training.mixing.batch import Batch, Role
from sepcli.training.networks import Masker

NOBODY = -1  # in place of an output, for a source that none is left for


def pit(pairwise: Tensor) -> Tensor:
    """The assignment with the least sum of losses, by the Hungarian method (Kuhn, 1955).

    Permutation-invariant training tries all permutations; this finds the same without that.

    Args:
        pairwise: (batch, outputs, sources), the loss of each output for each source.

    Returns:
        (batch, sources), the output of every source, none of them twice; `NOBODY` for sources
        that are too many.
    """
    # What is not a number must not stop here: the loss is no number either, and the loop sees it.
    tables = pairwise.detach().double().nan_to_num().cpu().numpy()
    best = torch.full((len(tables), pairwise.shape[2]), NOBODY)
    for item, table in zip(best, tables, strict=True):
        rows, columns = linear_sum_assignment(table)
        item[torch.from_numpy(columns)] = torch.from_numpy(rows)
    return best.to(pairwise.device)


def known_phrases(batch: Batch) -> Tensor:
    """Which questions are about a source that was recorded alone, (batch, questions), bool."""
    return batch.asks(Role.PHRASE) & batch.known


def in_order(outputs: Tensor, masker: Masker, batch: Batch) -> Tensor:
    """Outputs in the order of the questions about sources, with the largest sum of SNRs.

    Args:
        outputs: (batch, outputs, bins, frames), complex.
        masker: whose spectrograms they are.
        batch: its answers decide.

    Returns:
        (batch, questions, bins, frames); silent for questions that are not about a known source,
        and where there are more of them than outputs, for those that fit none.
    """
    answers = masker.spectrogram(batch.answers)
    ordered = torch.zeros_like(answers)
    for item, questions in enumerate(known_phrases(batch)):
        pairwise = snr_loss(outputs[item, :, None], answers[item, None, questions])
        best = pit(pairwise[None])[0]
        given = best != NOBODY
        ordered[item, questions.nonzero()[given, 0]] = outputs[item, best[given]]
    return ordered
