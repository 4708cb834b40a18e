"""Labels, the phrases that people use for them, and which labels are alike."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

ANYTHING = "anything"  # group of recordings that may hold any sound
TEMPLATES = (
    "{}",
    "{}",
    "a {}",
    "the {}",
    "the sound of {}",
    "sound of a {}",
    "{} sound",
    "{} noise",
    "loud {}",
    "only the {}",
    "{} in the background",
    "a recording of {}",
)


@dataclass(frozen=True)
class Ontology:
    """What every label is called and what it resembles."""

    groups: dict[str, str]
    phrases: dict[str, tuple[str, ...]]

    @staticmethod
    @cache
    def load() -> Ontology:
        """The ontology that ships with sepcli."""
        text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
        table: dict[str, list[str]] = yaml.safe_load(text)
        return Ontology(
            groups={label: row[0] for label, row in table.items()},
            phrases={label: tuple(row[1:]) for label, row in table.items()},
        )

    def alike(self, a: str, b: str) -> bool:
        """Whether two labels must not meet in a mixture."""
        groups = self.groups[a], self.groups[b]
        return groups[0] == groups[1] or ANYTHING in groups

    def say(self, label: str, rng: random.Random) -> str:
        """One of the ways to ask for a label."""
        return rng.choice(TEMPLATES).format(rng.choice(self.phrases[label]))

    def words(self) -> list[str]:
        """Every word of every phrase, once."""
        return sorted({word for text in self.texts() for word in text.split() if word.isalpha()})

    def texts(self) -> list[str]:
        """Every phrase, once."""
        return sorted({phrase for row in self.phrases.values() for phrase in row})
