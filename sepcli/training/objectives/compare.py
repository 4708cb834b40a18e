"""Answers to a batch's questions beside the right ones, and means over questions."""

from __future__ import annotations

from torch import Tensor

from sepcli.training.loop import distributed
from sepcli.training.losses.comparison import Comparison
from sepcli.training.mixing.batch import Batch, Role
from sepcli.training.networks import Masker


def compare(masker: Masker, batch: Batch, estimates: Tensor) -> Comparison:
    """All questions at once.

    Args:
        masker: whose spectrograms the estimates are.
        batch: its answers are the targets.
        estimates: (batch, questions, bins, frames), complex.
    """
    return Comparison(
        estimates,
        masker.spectrogram(batch.answers),
        masker.spectrogram(batch.mixture)[:, None],
        masker,
        batch.mixture.shape[-1],
    )


def answerable(batch: Batch) -> Tensor:
    """Which questions ask for something whose sound is known, (batch, questions), bool."""
    return batch.known & (batch.asks(Role.CAPTION) | batch.asks(Role.PHRASE))


def mean_where(values: Tensor, rows: Tensor) -> Tensor:
    """The mean of some values, as of some questions; 0 if there are none.

    Processes may have different numbers of them. Each divides by the mean number, so that the mean
    over processes is the sum over all of them by the number of all of them.

    Args:
        values: (batch, ...).
        rows: (batch, ...), bool.
    """
    count = distributed.mean(rows.sum().to(values.dtype))
    return (values * rows).sum() / count.clamp(min=1 / distributed.world_size())
