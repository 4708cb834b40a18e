"""Questions about mixtures: what is asked, in words or by example, and the right answer."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sepcli.query.tokens import WordPieces
from sepcli.training.clap import Clap
from sepcli.training.config import SeparatorConfig
from sepcli.training.corpus import RATE
from sepcli.training.mixing import Mixture, Pantry, Wave, mix
from sepcli.training.ontology import ANYTHING

QUESTIONS = 2  # per mixture
QUERY_NOISE = 0.2  # length of the random vector added to a query: neighbours mean the same


@dataclass(frozen=True)
class Question:
    """What is asked of a mixture, and the answer."""

    label: str
    answer: Wave | None  # (samples,), None if the sound is not there
    example: Wave | None  # a recording to ask with, instead of words


@dataclass(frozen=True)
class Batch:
    """Everything a step needs, as tensors; `answers` is silent where nothing is there."""

    mixture: Tensor  # (batch, samples)
    queries: Tensor  # (batch, QUESTIONS, embedding)
    answers: Tensor  # (batch, QUESTIONS, samples)
    present: Tensor  # (batch, QUESTIONS), 0 or 1


class Examiner:
    """Turns mixtures into batches of questions, with a frozen CLAP for the queries."""

    def __init__(self, config: SeparatorConfig, pantry: Pantry, clap: Clap, tokens: WordPieces):
        self.config, self.pantry, self.clap, self.tokens = config, pantry, clap, tokens

    def doubting(self) -> Examiner:
        """An examiner whose every second question is about a sound that is not there."""
        config = self.config.model_copy(update={"absent_queries": 0.5})
        return Examiner(config, self.pantry, self.clap, self.tokens)

    def batch(self, size: int, seed: str) -> Batch:
        """`size` mixtures with their questions, decided by `seed` alone."""
        rng = random.Random(seed)
        samples = int(self.config.seconds * RATE)
        mixtures = [mix(self.pantry, samples, rng) for _ in range(size)]
        asked = [q for m in mixtures for q in self.questions(m, rng)]
        silence = np.zeros(samples, np.float32)
        answers = np.stack([silence if q.answer is None else q.answer for q in asked])
        return Batch(
            mixture=torch.from_numpy(np.stack([m.wave for m in mixtures])),
            queries=self.embed(asked, rng).view(size, QUESTIONS, -1),
            answers=torch.from_numpy(answers).view(size, QUESTIONS, samples),
            present=torch.tensor([float(q.answer is not None) for q in asked]).view(size, -1),
        )

    def questions(self, mixture: Mixture, rng: random.Random) -> list[Question]:
        """QUESTIONS different ones; the first is always about a source."""
        groups = self.pantry.ontology.groups
        there = [i for i, x in enumerate(mixture.labels) if groups[x] != ANYTHING]
        # A background may hold what we ask for; and there must be something else to ask for.
        unsure = len(there) < len(mixture.labels) or not self.pantry.unlike(mixture.labels)
        rng.shuffle(there)
        out = []
        for index in range(QUESTIONS):
            nothing_left = index >= len(there)
            if (
                index
                and not unsure
                and (nothing_left or rng.random() < self.config.absent_queries * 2)
            ):
                out.append(self.ask(self.pantry.label(rng, mixture.labels), None, rng))
            else:
                source = there[index % len(there)]
                out.append(self.ask(mixture.labels[source], mixture.sources[source], rng))
        return out

    def ask(self, label: str, answer: Wave | None, rng: random.Random) -> Question:
        """A question in words, or now and then by example."""
        by_example = rng.random() < self.config.audio_queries
        samples = int(self.config.seconds * RATE)
        return Question(
            label, answer, self.pantry.window(label, samples, rng) if by_example else None
        )

    @torch.no_grad()
    def embed(self, asked: list[Question], rng: random.Random) -> Tensor:
        """(questions, embedding), of length 1, with QUERY_NOISE."""
        texts = [self.pantry.ontology.say(q.label, rng) for q in asked]
        embeddings = self.clap.text(self.tokens(texts))
        examples = [i for i, q in enumerate(asked) if q.example is not None]
        if examples:
            waves = np.stack([w for q in asked if (w := q.example) is not None])
            embeddings[examples] = self.clap.audio(torch.from_numpy(waves)[:, None], RATE)
        noise = torch.from_numpy(
            np.random.default_rng(rng.getrandbits(32)).standard_normal(embeddings.shape, np.float32)
        )
        return F.normalize(embeddings + QUERY_NOISE * F.normalize(noise, dim=-1), dim=-1)


def repeat_each(x: Tensor) -> Tensor:
    """(batch, ...) -> (batch * QUESTIONS, ...)."""
    return x.repeat_interleave(QUESTIONS, dim=0)
