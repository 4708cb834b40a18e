"""Labels, the phrases that people use for them, and which labels are alike."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from sepcli.errors import UsageError
from sepcli.yaml_file import read_yaml

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


Table = dict[str, Annotated[list[str], Field(min_length=2)]]
SHIPPED = Path(__file__).with_suffix(".yaml")


@dataclass(frozen=True)
class Ontology:
    """What every label is called and what it resembles.

    Labels that are not listed are allowed: one whose words are a phrase of a listed label is of
    its group, any other has a group of its own; its words are its phrase.

    Attributes:
        groups: label -> its group; labels of one group are alike.
        phrases: label -> what people call it, its plain name first.
    """

    groups: dict[str, str]
    phrases: dict[str, tuple[str, ...]]

    @staticmethod
    @cache
    def load() -> Ontology:
        """The ontology that ships with sepcli."""
        return Ontology.read(SHIPPED)

    @staticmethod
    def read(path: Path | None) -> Ontology:
        """An ontology of your own: YAML, `label: [group, phrase, phrase, ...]`; None for ours.

        Raises:
            UsageError: with all that is wrong in the file.
        """
        if path is None:
            return Ontology.load()
        try:
            table = TypeAdapter(Table).validate_python(read_yaml(path), strict=True)
        except ValidationError as error:
            wrong = "; ".join(f"{item['loc'][0]}: {item['msg']}" for item in error.errors())
            remedy = (
                "write every label as `label: [group, phrase, ...]`, quoting yes, no and numbers"
            )
            raise UsageError(f"{path}: {wrong}", remedy) from error
        return Ontology(
            groups={label: row[0] for label, row in table.items()},
            phrases={label: tuple(row[1:]) for label, row in table.items()},
        )

    def group(self, label: str) -> str:
        """The group of a label, listed or not."""
        if label in self.groups:
            return self.groups[label]
        words = in_words(label).lower()
        return self._groups_by_words.get(words, words)

    def names(self, label: str) -> tuple[str, ...]:
        """What people call a label, listed or not; its plain name first."""
        return self.phrases.get(label) or (in_words(label),)

    def alike(self, a: str, b: str) -> bool:
        """Whether two labels must not meet in a mixture."""
        groups = self.group(a), self.group(b)
        return groups[0] == groups[1] or ANYTHING in groups

    def say(self, label: str, rng: random.Random) -> str:
        """One of the ways to ask for a label."""
        return rng.choice(TEMPLATES).format(rng.choice(self.names(label)))

    def words(self) -> list[str]:
        """Every word of every phrase, once."""
        return sorted({word for text in self.texts() for word in text.split() if word.isalpha()})

    def texts(self) -> list[str]:
        """Every phrase, once."""
        return sorted({phrase for row in self.phrases.values() for phrase in row})

    @cached_property
    def _groups_by_words(self) -> dict[str, str]:
        """Labels and phrases in lower case -> their group; the first label that has them."""
        found: dict[str, str] = {}
        for label, group in self.groups.items():
            for text in (in_words(label), *self.phrases.get(label, ())):
                found.setdefault(text.lower(), group)
        return found


def in_words(label: str) -> str:
    """A label as people would write it."""
    return label.replace("_", " ")
