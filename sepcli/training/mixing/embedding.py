"""Questions as a network hears them: embeddings of texts, read once, and of sounds."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from sepcli.training.mixing.level import Wave
from sepcli.training.teacher import Teacher

HELD = 2**26  # numbers of text embeddings that are kept, 256 MiB


@dataclass(frozen=True)
class Read:
    """A text as the teacher reads it.

    Attributes:
        query: (d,), for the network.
        target: (embedding,), of length 1.
    """

    query: Tensor
    target: Tensor


class Embedder:
    """Embeds with a frozen teacher.

    Every text is read alone: beside longer ones it would be padded, and come out different in
    its last bits, so that a resumed training could not repeat what it did.
    """

    def __init__(self, teacher: Teacher) -> None:
        self.teacher = teacher
        self._read: OrderedDict[str, Read] = OrderedDict()
        self._held = 0

    def text(self, text: str) -> Read:
        """A text, read at most once while it is held."""
        if text in self._read:
            self._read.move_to_end(text)
            return self._read[text]
        query = self.teacher.queries([text])[0].float().cpu()
        read = self._read[text] = Read(query, self.teacher.texts([text])[0].float().cpu())
        self._held += len(read.query) + len(read.target)
        while self._held > HELD:
            _, forgotten = self._read.popitem(last=False)
            self._held -= len(forgotten.query) + len(forgotten.target)
        return read

    @torch.no_grad()
    def sound(self, wave: Wave, rate: int) -> Tensor:
        """(samples,) -> (d,), a query by example."""
        return self.teacher.audio(torch.from_numpy(wave)[None], rate)[0].float().cpu()


def moved(queries: Tensor, length: float, directions: Tensor) -> Tensor:
    """Neighbours of queries, (..., d), of length 1.

    Args:
        queries: of length 1.
        length: of the step away.
        directions: any that are not zero.
    """
    return F.normalize(queries + length * F.normalize(directions, dim=-1), dim=-1)
