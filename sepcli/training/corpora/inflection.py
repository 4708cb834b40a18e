"""Forms of English verbs, by the rules of spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Flag, auto

VOWELS = "aeiou"
SIBILANT = ("s", "x", "z", "ch", "sh", "o")


class Form(Flag):
    """What a word may be of a verb; one word may be several."""

    NONE = 0
    BASE = auto()  # bark, also the plural: dogs bark
    THIRD = auto()  # barks
    GERUND = auto()  # barking
    PAST = auto()  # barked, also the participle


def third(lemma: str) -> str:
    """The third person singular: barks, buzzes, cries."""
    if lemma.endswith(SIBILANT):
        return f"{lemma}es"
    return f"{lemma[:-1]}ies" if ends_in_consonant_y(lemma) else f"{lemma}s"


def gerund(lemma: str) -> str:
    """The form in -ing: barking, hissing, chiming, humming."""
    if lemma.endswith("e") and not lemma.endswith(("ee", "ye", "oe")):
        return f"{lemma[:-1]}ing"
    return f"{doubled(lemma)}ing"


def past(lemma: str) -> str:
    """The regular past: barked, chimed, cried, hummed."""
    if lemma.endswith("e"):
        return f"{lemma}d"
    return f"{lemma[:-1]}ied" if ends_in_consonant_y(lemma) else f"{doubled(lemma)}ed"


def doubled(lemma: str) -> str:
    """With its last consonant twice where a suffix asks for it: one short vowel before one."""
    short = re.fullmatch(r"[^aeiou]*(qu)?[aeiou][^aeiouwxy]", lemma)
    return lemma + lemma[-1] if short else lemma


def ends_in_consonant_y(lemma: str) -> bool:
    """Cry, but not play."""
    return lemma.endswith("y") and lemma[-2:-1] not in VOWELS


def forms(entries: Iterable[str]) -> dict[str, Form]:
    """What every form of some verbs may be.

    Args:
        entries: of a verb each: its base form, and irregular past forms if it has some
            ("sing sang sung").
    """
    table: dict[str, Form] = {}
    for entry in entries:
        lemma, *irregular = entry.split()
        words = [(lemma, Form.BASE), (third(lemma), Form.THIRD), (gerund(lemma), Form.GERUND)]
        words += [(word, Form.PAST) for word in irregular or [past(lemma)]]
        for word, form in words:
            table[word] = table.get(word, Form.NONE) | form
    return table
