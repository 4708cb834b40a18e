"""The words that decide how captions are split: those that ship with sepcli, and a user's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from pydantic import StrictStr, ValidationError, create_model

from sepcli.errors import UsageError
from sepcli.sections import Section, explain
from sepcli.training.corpora.inflection import Form, forms
from sepcli.yaml_file import read_yaml

SHIPPED = Path(__file__).with_name("captions.yaml")
Words = frozenset[str]
Phrases = tuple[str, ...]
Entries = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Rules:
    """Lists of lower-case words and word groups; captions.yaml says what each is for.

    Attributes:
        overrides: phrases of captions that rules do not serve, by `caption_key`.
    """

    connectives: Words = frozenset()
    gerund_connectives: Words = frozenset()
    prepositions_between_sounds: Words = frozenset()
    idioms: Words = frozenset()
    places: Words = frozenset()
    place_prepositions: Words = frozenset()
    place_nouns: Words = frozenset()
    drop: Words = frozenset()
    determiners: Words = frozenset()
    adjectives: Words = frozenset()
    adverbs: Words = frozenset()
    prepositions: Words = frozenset()
    pronouns: Words = frozenset()
    auxiliaries: Words = frozenset()
    plurals: Words = frozenset()
    sounds: Words = frozenset()
    not_gerunds: Words = frozenset()
    aspects: Words = frozenset()
    transitive: Words = frozenset()
    verbs: Words = frozenset()
    overrides: Mapping[str, Phrases] = field(default_factory=dict)

    @staticmethod
    @cache
    def load(path: Path | None = None, overrides: Path | None = None) -> Rules:
        """The shipped rules, with a user's.

        Args:
            path: YAML with some of the shipped file's keys, whose entries are added, and perhaps
                `without`, a list of entries that leave every list.
            overrides: JSONL with `caption` and `phrases` on every line.

        Raises:
            UsageError: if a file cannot be read or does not have this form.
        """
        tables = [read_rules(source) for source in (SHIPPED, path) if source]
        without = {word for table in tables for word in table.without}
        merged = {
            name: frozenset(w for table in tables for w in getattr(table, name)) - without
            for name in LISTS
        }
        return Rules(**merged, overrides=dict(read_overrides(overrides)) if overrides else {})

    @cached_property
    def verb_forms(self) -> dict[str, Form]:
        """Of all verbs."""
        return forms(self.verbs | self.transitive | self.aspects)

    @cached_property
    def transitive_forms(self) -> frozenset[str]:
        """Of verbs that take an object without a determiner."""
        return frozenset(forms(self.transitive))

    @cached_property
    def aspect_forms(self) -> frozenset[str]:
        """Of verbs that name no sound."""
        return frozenset(forms(self.aspects))

    @cached_property
    def joints(self) -> Entries:
        """All connectives."""
        return longest_first(self.connectives | self.gerund_connectives)

    @cached_property
    def idiom_words(self) -> Entries:
        """All idioms."""
        return longest_first(self.idioms)

    @cached_property
    def place_words(self) -> Entries:
        """All places."""
        return longest_first(self.places)

    @cached_property
    def drop_words(self) -> Entries:
        """All that is left out."""
        return longest_first(self.drop)


LISTS = tuple(f.name for f in fields(Rules) if f.name != "overrides")


LISTED: dict[str, Any] = {name: (list[StrictStr], []) for name in (*LISTS, "without")}
RulesFile = create_model("RulesFile", __base__=Section, **LISTED)


def read_rules(path: Path) -> Any:
    """A file of rules, with every list it does not mention empty."""
    try:
        return RulesFile.model_validate(read_yaml(path))
    except ValidationError as error:
        remedy = "use the keys of the shipped captions.yaml; quote words such as on and off"
        raise UsageError(f"{path}: {explain(error, RulesFile)}", remedy) from error


def read_overrides(path: Path) -> Iterator[tuple[str, Phrases]]:
    """Captions, as `caption_key` has them, and their phrases."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}", "check the path") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield parse_override(line, f"{path}, line {number}")


def parse_override(line: str, place: str) -> tuple[str, Phrases]:
    """One caption and its phrases."""
    remedy = 'write {"caption": "...", "phrases": ["...", "..."]}'
    try:
        row = json.loads(line)
    except ValueError as error:
        raise UsageError(f"{place}: {error}", remedy) from error
    if not isinstance(row, dict) or set(row) != {"caption", "phrases"}:
        raise UsageError(f"{place}: not a caption with phrases", remedy)
    caption, found = row["caption"], row["phrases"]
    if not isinstance(caption, str) or not isinstance(found, list) or not found:
        raise UsageError(f"{place}: a caption is a text, its phrases a list of texts", remedy)
    if not all(isinstance(phrase, str) and phrase.strip() for phrase in found):
        raise UsageError(f"{place}: a phrase is not a text, or empty", remedy)
    return caption_key(caption), tuple(" ".join(phrase.split()) for phrase in found)


def caption_key(caption: str) -> str:
    """A caption without regard to case, spacing and a full stop."""
    return " ".join(caption.split()).rstrip(".").casefold()


def longest_first(entries: Words) -> Entries:
    """Word groups as words, so that the longest one that matches is met first."""
    return tuple(sorted((tuple(entry.split()) for entry in entries), key=lambda e: (-len(e), e)))
