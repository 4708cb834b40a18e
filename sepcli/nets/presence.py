"""How sure a network is that what it was asked for is heard, judged by its own answer.

A separator that is asked for a dog lets something through wherever it half hears one. Whether
that is a dog shows in how much of the mixture passes, in what the decoder made of the query, and
in what a CLAP says when it listens to the answer and to the mixture. Nothing flows back from
here into the network.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sepcli.nets.clap import AudioTower


@dataclass(frozen=True)
class Answer:
    """Masks, and what they were made of.

    Attributes:
        magnitude: (batch, bins, frames), of the mixture.
        queries: (batch, queries, embedding).
        masks: (batch, queries, bins, frames), from 0 to 1.
        first: (batch * queries, channels, bands, steps), of the deepest decoder block.
        last: (batch * queries, channels, bands, steps), of the outermost one.
        film: (batch * queries, features), of the queries.
    """

    magnitude: Tensor
    queries: Tensor
    masks: Tensor
    first: Tensor
    last: Tensor
    film: Tensor


class Presence(nn.Module):
    """The probability that a query is heard, as a logit.

    Args:
        deep: channels of the deepest decoder block.
        fine: channels of the outermost one.
        embedding: width of a query.
        hears: whether to listen to the answer with an audio tower, which must be that of the
            CLAP that the queries come from.
        query: width of the queries' features.
        hidden: units of the judge.
    """

    def __init__(
        self,
        deep: int,
        fine: int,
        embedding: int,
        hears: bool,
        query: int = 256,
        hidden: int = 128,
    ) -> None:
        super().__init__()
        self.ear = AudioTower(embedding=embedding).requires_grad_(False) if hears else None
        self.features = nn.Linear(2 * (deep + fine) + (3 if hears else 1), hidden)
        self.film = nn.Linear(query, 2 * hidden)
        self.hidden = nn.Linear(hidden, hidden)
        self.score = nn.Linear(hidden, 1)

    def forward(self, answer: Answer) -> Tensor:
        """Logits, (batch, queries)."""
        logits = self.judge(self.evidence(answer), answer.film.detach())
        return logits.view(answer.queries.shape[:2])

    def train(self, mode: bool = True) -> Presence:
        """The ear was trained elsewhere and stays as it is."""
        super().train(mode)
        if self.ear is not None:
            self.ear.eval()
        return self

    @torch.no_grad()
    def evidence(self, answer: Answer) -> Tensor:
        """What is judged, (batch * queries, features)."""
        pooled = [p for x in (answer.first, answer.last) for p in (x.mean((2, 3)), x.amax((2, 3)))]
        passed = energy_passed(answer.masks, answer.magnitude).flatten()[:, None]
        return torch.cat([*pooled, passed, *self._heard(answer)], dim=1)

    def judge(self, evidence: Tensor, film: Tensor) -> Tensor:
        """Logits, (batch * queries,)."""
        scale, shift = self.film(film).chunk(2, dim=1)
        x = F.leaky_relu(self.features(evidence) * (1 + scale) + shift, 0.1)
        logits: Tensor = self.score(F.leaky_relu(self.hidden(x), 0.1)).squeeze(1)
        return logits

    def _heard(self, answer: Answer) -> list[Tensor]:
        """Cosines of the queries with the answers and with the mixture, (batch * queries, 1)."""
        if self.ear is None:
            return []
        answers = (answer.masks * answer.magnitude[:, None]).flatten(0, 1)
        alone = self.ear.embed(answers).view(answer.queries.shape)
        together = self.ear.embed(answer.magnitude)[:, None]
        return [(x * answer.queries).sum(-1).view(-1, 1) for x in (alone, together)]


def energy_passed(masks: Tensor, magnitude: Tensor) -> Tensor:
    """Log of the share of energy that masks let through.

    Args:
        masks: (batch, queries, bins, frames).
        magnitude: (batch, bins, frames).

    Returns:
        (batch, queries), from about -14 to 0.
    """
    power = magnitude.square()[:, None]
    through = (masks.square() * power).sum((-2, -1))
    share = through / power.sum((-2, -1)).clamp(min=1e-12)
    return (share + 1e-6).log()
