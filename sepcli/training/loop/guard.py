"""Steps whose loss or gradient is not finite move nothing, and a run of nothing else ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from sepcli.errors import SepcliError

MOST_IN_A_ROW = 20  # skipped steps; fp16 takes up to 16 to find a scale from 2^16 down to 1


class Diverged(SepcliError):
    """Training no longer learns anything."""


class Guard:
    """Counts steps that were skipped one after another."""

    def __init__(self) -> None:
        self.in_a_row = 0

    def count(self, skipped: bool, step: int) -> None:
        """Take a step into account.

        Raises:
            Diverged: if too many in a row were skipped.
        """
        self.in_a_row = self.in_a_row + 1 if skipped else 0
        if self.in_a_row >= MOST_IN_A_ROW:
            message = f"loss or gradient was not finite in the last {MOST_IN_A_ROW} of {step} steps"
            remedy = "lower `lr` or `loop.clip`, and go on from the last checkpoint"
            raise Diverged(f"diverged: {message}", remedy)


@contextmanager
def undone_on_error(module: nn.Module) -> Iterator[None]:
    """Give buffers back their values if what is inside fails.

    A forward pass moves the running statistics of a BatchNorm; one that came to nothing must
    not.
    """
    before = [(buffer, buffer.clone()) for buffer in module.buffers()]
    try:
        yield
    except BaseException:
        with torch.no_grad():
            for buffer, value in before:
                buffer.copy_(value)
        raise
