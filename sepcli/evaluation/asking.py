"""How a model is asked for the stems of an item, and what more it is asked in query probes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sepcli.errors import UsageError
from sepcli.evaluation.datasets.base import Example, Item, ProbedItem
from sepcli.evaluation.estimating import Answer, Separator
from sepcli.evaluation.protocols import Protocol
from sepcli.evaluation.results import ABSENT, LEAKAGE, SYSTEM, Row
from sepcli.evaluation.systems import Made

Estimate = NDArray[np.floating]  # (channels, samples)


@dataclass(frozen=True)
class ModelSystem:
    """A model under test.

    Attributes:
        separator: the loaded model.
        name: of the model.
        fingerprint: of its weights and settings.
    """

    separator: Separator
    name: str
    fingerprint: str
    kind: str = "model"
    portable: bool = False

    def key(self, item: Item, stems: tuple[str, ...]) -> str:
        """The model's fingerprint and the words it is asked with."""
        queries = [f"{stem}={item.queries.get(stem, '')}" for stem in stems]
        return "\n".join([self.fingerprint, *queries])

    def make(self, item: Item, example: Example, protocol: Protocol) -> Made:
        """Separate an item's mixture as the protocol says.

        Raises:
            UsageError: if the model cannot be asked for these stems.
        """
        if self.separator.fixed_stems is not None:
            return self._fixed(example, protocol)
        if protocol.probes is None:
            return self._worded(item, example, protocol)
        if not isinstance(item, ProbedItem):
            message = f"{item.name}: its data set has no paraphrases, examples or absent sounds"
            raise UsageError(message, "choose a --protocol without probes")
        if protocol.probes == "like":
            examples = [item.examples[stem] for stem in example.references]
            answer = self.separator.ask_examples(example.mixture, example.rate, examples)
            return Made({SYSTEM: stems_of(answer, list(example.references))})
        return self._probed(item, example)

    def _fixed(self, example: Example, protocol: Protocol) -> Made:
        names = list(example.references)
        fixed = self.separator.fixed_stems or ()
        if protocol.permutation is not None and len(fixed) < len(names):
            message = f"the model gives {len(fixed)} stems, the item has {len(names)}"
            raise UsageError(message, "choose another --model")
        # Where the order is free, so is the choice, if the model gives more stems than there are.
        asked = names if protocol.permutation is None else list(fixed)
        answer = self.separator.ask_stems(example.mixture, example.rate, asked)
        return Made({SYSTEM: stems_of(answer, asked)})

    def _worded(self, item: Item, example: Example, protocol: Protocol) -> Made:
        words = words_of(item, example, protocol)
        answer = self.separator.ask_texts(example.mixture, example.rate, list(words.values()))
        stems = stems_of(answer, list(words))
        if protocol.remainder in example.references and protocol.remainder not in words:
            stems[str(protocol.remainder)] = example.mixture - sum(stems.values())
        presence = presence_of(answer, list(words))
        ordered = {stem: stems[stem] for stem in example.references}
        return Made({SYSTEM: ordered}, presence)

    def _probed(self, item: ProbedItem, example: Example) -> Made:
        stems, others = list(example.references), item.others
        paraphrases = [text for stem in stems for text in item.paraphrases[stem]]
        texts = [*(item.queries[stem] for stem in stems), *paraphrases, *others.values()]
        answer = self.separator.ask_texts(example.mixture, example.rate, texts)
        count, first_other = len(stems), len(stems) + len(paraphrases)
        systems = {SYSTEM: stems_of(part(answer, 0, count), stems)}
        for number, group in enumerate(by_paraphrase(item, stems, count)):
            waves = {stem: answer.stems[at] for stem, at in group.items()}
            systems[f"paraphrase-{number + 1}"] = waves
        others_answer = part(answer, first_other, len(texts))
        rows = absent_rows(item, example, others_answer)
        return Made(systems, presence_of(answer, stems), tuple(rows))


def words_of(item: Item, example: Example, protocol: Protocol) -> dict[str, str]:
    """Stem -> the words it is asked with: the data set's own, else the protocol's.

    A remainder is not asked for, but for it all other stems are, whether they are scored or not.

    Raises:
        UsageError: if a stem has no words.
    """
    words = {**protocol.prompts, **item.queries}
    asked = list(example.references)
    if protocol.remainder in asked and protocol.remainder not in words:
        every = dict.fromkeys([*asked, *(protocol.stems or item.stems)])
        asked = [stem for stem in every if stem != protocol.remainder]
    if missing := [stem for stem in asked if stem not in words]:
        message = f"{item.name}: no words to ask for {', '.join(missing)}"
        raise UsageError(message, "choose a --model with fixed stems, or a --protocol with prompts")
    return {stem: words[stem] for stem in asked}


def stems_of(answer: Answer, names: Sequence[str]) -> dict[str, Estimate]:
    """Name -> stem, of the first answers."""
    return dict(zip(names, answer.stems, strict=False))


def presence_of(answer: Answer, names: Sequence[str]) -> dict[str, float]:
    """Name -> presence, of the first answers; empty if the model does not say."""
    if answer.presence is None:
        return {}
    return dict(zip(names, map(float, answer.presence), strict=False))


def part(answer: Answer, start: int, stop: int) -> Answer:
    """Some of the stems of an answer."""
    presence = None if answer.presence is None else answer.presence[start:stop]
    return Answer(answer.stems[start:stop], presence)


def by_paraphrase(item: ProbedItem, stems: Sequence[str], first: int) -> list[dict[str, int]]:
    """For the first, second, ... paraphrase: stem -> where its answer is.

    Answers to paraphrases begin at `first`, all of a stem together.
    """
    groups: list[dict[str, int]] = []
    at = first
    for stem in stems:
        for number in range(len(item.paraphrases[stem])):
            if number == len(groups):
                groups.append({})
            groups[number][stem] = at
            at += 1
    return groups


def absent_rows(item: ProbedItem, example: Example, answer: Answer) -> list[Row]:
    """Figures of the answers to queries for what is not heard.

    One row says how loud the answer is and, if the model does, how sure it is; one for every
    source says how much of that source leaked into it.
    """
    rows = []
    energy = float(np.square(example.mixture).sum())
    presence = presence_of(answer, list(item.others))
    for (label, words), wave in zip(item.others.items(), answer.stems, strict=True):
        facts: Mapping[str, str] = {"asked": label, "unlike": str(words == item.absent)}
        scores = {"level_db": decibels(float(np.square(wave, dtype=np.float64).sum()), energy)}
        if label in presence:
            scores["presence"] = presence[label]
        rows.append(Row(item.name, label, ABSENT, words, facts, (), scores))
        for stem, source in example.references.items():
            leaked = leakage(source, wave)
            rows.append(Row(item.name, stem, LEAKAGE, label, facts, (), {"leakage_db": leaked}))
    return rows


def leakage(source: Estimate, answer: Estimate) -> float:
    """Energy of the part of an answer that is a scaled copy of a source, over the source's, dB."""
    power = float(np.square(source).sum())
    inner = float((source * answer).sum())
    return decibels(inner**2, power**2)


def decibels(energy: float, reference: float) -> float:
    """Ratio of energies in dB; NaN without a reference, minus infinite without energy."""
    if reference == 0:
        return float("nan")
    return 10 * float(np.log10(energy / reference)) if energy > 0 else float("-inf")
