"""The presence score, trained when separation is finished: does the query sound at all?

The network stays as it is; only the small judge of its answers learns, from mixtures half of
whose questions ask for what is not there. What it looks at costs a pass of the network and is
gathered once; the judge then sees all of it many times. The threshold is where present and absent
queries of the validation sounds are told apart best (highest mean of both rates, Youden's index).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from sepcli.nets.bands import common_magnitude
from sepcli.nets.presence import Presence
from sepcli.training.mixing.batch import Batch, Role
from sepcli.training.networks import BandUNetMasker

EPOCHS = 30
ROWS = 128  # judged in a step
LR = 1e-3


@dataclass(frozen=True)
class Cases:
    """What the judge sees, and what it should say.

    Attributes:
        evidence: (questions, features), see `Presence.evidence`.
        film: (questions, features), of the queries.
        present: (questions,), 0 or 1.
    """

    evidence: Tensor
    film: Tensor
    present: Tensor


@dataclass(frozen=True)
class Verdict:
    """How well a judge tells queries apart.

    Attributes:
        auc: chance that a present query scores higher than an absent one.
        threshold: probability from which a query counts as present.
    """

    auc: float
    threshold: float


def cases_of(masker: BandUNetMasker, batches: Iterable[Batch]) -> Iterator[Cases]:
    """The evidence of every batch."""
    network = masker.network.eval()
    assert network.presence is not None
    for batch in batches:
        with torch.inference_mode():
            magnitude = common_magnitude(masker.spectrogram(batch.mixture)[:, None])
            answer = network.answer(magnitude, batch.queries)
            evidence = network.presence.evidence(answer)
        asked = (batch.role != Role.PADDING).flatten()
        present = (batch.role != Role.ABSENT).flatten().float()
        yield Cases(evidence[asked].clone(), answer.film[asked].clone(), present[asked])


def together(parts: Iterable[Cases]) -> Cases:
    """Cases one after another."""
    rows = list(parts)
    return Cases(
        torch.cat([r.evidence for r in rows]),
        torch.cat([r.film for r in rows]),
        torch.cat([r.present for r in rows]),
    )


def train_judge(judge: Presence, train: Cases, validation: Cases, *, seed: int) -> Verdict:
    """Train a judge on gathered cases; the epoch that tells the validation cases apart best stays.

    Args:
        judge: of the network; changed in place.
        train: to learn from.
        validation: to choose the epoch and the threshold by.
        seed: of the order of cases.
    """
    for parameter in learning(judge):
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(learning(judge), lr=LR, weight_decay=0.05)
    generator = torch.Generator().manual_seed(seed)
    best, kept = -1.0, judge.state_dict()
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(train.present), generator=generator).split(ROWS):
            logits = judge.judge(train.evidence[rows], train.film[rows])
            loss = F.binary_cross_entropy_with_logits(logits, train.present[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        auc = area(*scores(judge, validation))
        if auc > best:
            best, kept = auc, {k: v.clone() for k, v in judge.state_dict().items()}
    judge.load_state_dict(kept)
    present, absent = scores(judge, validation)
    return Verdict(best, best_threshold(present, absent))


def learning(judge: Presence) -> list[nn.Parameter]:
    """All parameters but the ear's."""
    return [p for name, p in judge.named_parameters() if not name.startswith("ear.")]


@torch.no_grad()
def scores(judge: Presence, cases: Cases) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Probabilities given to queries that are there, and to those that are not."""
    chances = judge.judge(cases.evidence, cases.film).sigmoid()
    here = cases.present.bool()
    return chances[here].cpu().numpy(), chances[~here].cpu().numpy()


def area(present: NDArray[np.float32], absent: NDArray[np.float32]) -> float:
    """Under the receiver operating characteristic; ties count half (Mann and Whitney, 1947)."""
    above = (present[:, None] > absent).mean()
    return float(above + 0.5 * (present[:, None] == absent).mean())


def best_threshold(present: NDArray[np.float32], absent: NDArray[np.float32]) -> float:
    """Where the share of present scores above and of absent ones below is highest, together."""
    at = np.unique(np.concatenate([present, absent]))
    right = [(present >= t).mean() + (absent < t).mean() for t in at]
    return round(float(at[int(np.argmax(right))]), 3)
