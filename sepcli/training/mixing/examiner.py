"""Batches of mixtures with questions about them, each item decided by seed, draw and number."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from sepcli.training.config import MixingConfig, Semi, SeparatorConfig, Supervised
from sepcli.training.mixing.batch import Asking, Batch, Role
from sepcli.training.mixing.embedding import Embedder, moved
from sepcli.training.mixing.example import Example, mix
from sepcli.training.mixing.level import Wave
from sepcli.training.mixing.pantry import Pantry
from sepcli.training.mixing.pools import kinds, refuse_too_few, split_pantry
from sepcli.training.mixing.questions import Question, Questioner, weights
from sepcli.training.teacher import Teacher


@dataclass(frozen=True)
class Asked:
    """An example with what is asked about it.

    Attributes:
        example: what is heard.
        questions: about it.
        queries: (questions, d).
        targets: (questions, embedding).
    """

    example: Example
    questions: list[Question]
    queries: Tensor
    targets: Tensor


class Examiner:
    """Mixes what is in a pantry and asks what an objective needs.

    Args:
        config: of the run.
        pantry: to mix from.
        teacher: reads the questions, on the CPU.
        asking: which questions.
        rate: of the waveforms, Hz; that of the pantry's sounds.
    """

    def __init__(
        self, config: SeparatorConfig, pantry: Pantry, teacher: Teacher, asking: Asking, rate: int
    ) -> None:
        if rate != pantry.sounds.rate:
            raise ValueError(f"the network hears {rate} Hz, the sounds have {pantry.sounds.rate}")
        self.config, self.pantry, self.teacher, self.asking = config, pantry, teacher, asking
        self.rate, self.samples = rate, int(config.seconds * rate)
        # Where all sources are asked for, none may be one that nobody can name.
        self.mixing = config.mixing.model_copy(
            update={} if asking.sampled else {"backgrounds": 0.0}
        )
        self._questioner = Questioner(
            pantry, asking, self.mixing.parts, phrases=self._most_sources()
        )
        self._embedder = Embedder(teacher)

    def validation(self) -> Examiner:
        """Asks for each of two single sources, and for one that is absent; in plain words.

        Where there are recordings only, two of them are mixed and asked for by their captions.
        """
        single = kinds(self.pantry) >= 2
        sizes = {"parts": 1, "sources": {2: 1.0}} if single else {"parts": 2}
        mixing = self.mixing.model_copy(update={**sizes, "captioned": 0.0 if single else 1.0})
        config = self._changed(mixing=mixing, query_noise=0.0, example_queries=0.0, seed=0)
        asking = Asking(phrases=single, captions=not single, absent=1)
        return Examiner(config, self.pantry, self.teacher, asking, self.rate)

    def doubting(self) -> Examiner:
        """Asks two questions about every mixture, half of all for what is not there."""
        asking = Asking(sampled=2, absent_share=0.5)
        return Examiner(self._changed(), self.pantry, self.teacher, asking, self.rate)

    def batch(self, draw: int | str, first: int, size: int) -> Batch:
        """Items `first` to `first + size` of a draw.

        Raises:
            UsageError: if there is too little to mix.
            ItemError: if a clip cannot be heard.
        """
        return as_batch([self._item(draw, first + item) for item in range(size)])

    def _changed(self, **changes: object) -> SeparatorConfig:
        """The config with all single sources known."""
        return self.config.model_copy(update={"objective": Supervised(), **changes})

    @cached_property
    def pools(self) -> tuple[Pantry, Pantry]:
        """What items are made of whose single sources are known, and all others.

        Raises:
            UsageError: if there is too little to mix.
        """
        objective = self.config.objective
        if not isinstance(objective, Semi):
            refuse_too_few(self.pantry, self.mixing, "all clips")
            return self.pantry, self.pantry
        pools = split_pantry(self.pantry, objective.fraction)
        if self._known_items:
            refuse_too_few(pools[0], self._mixing_of(True), "the clips whose sources are known")
        if self._known_items < self.config.batch:
            refuse_too_few(pools[1], self.mixing, "the clips whose sources are not known")
        return pools

    @property
    def _known_items(self) -> int:
        """How many items of a batch, the first ones, have known single sources."""
        objective = self.config.objective
        share = objective.share if isinstance(objective, Semi) else 1.0
        return round(share * self.config.batch)

    def _item(self, draw: int | str, item: int) -> Asked:
        rng = random.Random(f"{self.config.seed}/{draw}/{item}")
        known = item % self.config.batch < self._known_items
        pantry = self.pools[0] if known else self.pools[1]
        example = mix(pantry, self._mixing_of(known), self.samples, rng, known)
        questions = self._questioner.ask(example, rng)
        queries, targets = self._embed(questions, rng)
        return Asked(example, questions, queries, targets)

    def _most_sources(self) -> int:
        """Of a part of any mixture."""
        return max(max(self._mixing_of(known).sources) for known in (False, True))

    def _mixing_of(self, known: bool) -> MixingConfig:
        """Where some sources are known, mixtures of those have their own number of them."""
        if known and isinstance(self.config.objective, Semi):
            return self.mixing.model_copy(update={"sources": self.config.objective.sources})
        return self.mixing

    def _embed(self, questions: list[Question], rng: random.Random) -> tuple[Tensor, Tensor]:
        """(questions, d) and (questions, embedding), zero for padding."""
        texts = [self._embedder.text(question.text) for question in questions]
        targets = torch.stack([read.target for read in texts])
        queries = torch.stack([read.query for read in texts])
        if self.teacher.hears:  # else a query is no embedding: no sound can be one, nor noise
            for row, question in enumerate(questions):
                if (example := self._example_of(question, rng)) is not None:
                    queries[row] = self._embedder.sound(example, self.rate)
            queries = self._with_noise(queries, rng)
        asked = torch.tensor([question.role != Role.PADDING for question in questions])[:, None]
        return queries * asked, targets * asked

    def _with_noise(self, queries: Tensor, rng: random.Random) -> Tensor:
        """Neighbours of queries, which mean the same."""
        if not self.config.query_noise:
            return queries
        noise = np.random.default_rng(rng.getrandbits(64))
        directions = torch.from_numpy(noise.standard_normal(queries.shape, np.float32))
        return moved(queries, self.config.query_noise, directions)

    def _example_of(self, question: Question, rng: random.Random) -> Wave | None:
        """A sound to ask with, now and then, instead of words."""
        if rng.random() >= self.config.example_queries or question.label not in self.pantry.singles:
            return None
        return self.pantry.window(question.label, self.samples, rng)


def as_batch(items: list[Asked]) -> Batch:
    """Items side by side."""
    rows = [item.questions for item in items]
    parts = np.stack([np.stack([part.wave for part in item.example.parts]) for item in items])
    return Batch(
        mixture=torch.from_numpy(np.stack([item.example.wave for item in items])),
        parts=torch.from_numpy(parts),
        queries=torch.stack([item.queries for item in items]),
        role=torch.tensor([[int(q.role) for q in row] for row in rows]),
        part=torch.tensor([[q.part for q in row] for row in rows]),
        answers=torch.from_numpy(answers(rows, parts.shape[-1])),
        known=torch.tensor([[q.known for q in row] for row in rows]),
        weight=torch.tensor(
            [weights([q.part for q in row], [q.meaning for q in row]) for row in rows]
        ),
        meaning=torch.tensor([[q.meaning for q in row] for row in rows]),
        targets=torch.stack([item.targets for item in items]),
    )


def answers(rows: list[list[Question]], samples: int) -> Wave:
    """(items, questions, samples), silent where there is none."""
    out = np.zeros((len(rows), len(rows[0]), samples), np.float32)
    for item, row in enumerate(rows):
        for place, question in enumerate(row):
            if question.answer is not None:
                out[item, place] = question.answer
    return out
