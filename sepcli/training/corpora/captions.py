"""Captions of mixtures, split into phrases: one for every sound that they tell of.

"A train sounds horn and then passes with a clickety-clack over tracks" tells of a train that
sounds its horn and of a train that passes; no part of it may come out as "Passes" or "Tracks". So
captions are cut at connectives (`caption_clauses`), verbs get back the noun that they lost
(`caption_subjects`), and what only says where or how long is left out.

The rules are word lists and number agreement, not a parser: captions of sounds use few patterns
and few verbs, a tagger's model does not come inside a wheel, and a list can be corrected by whoever
finds a mistake. benchmarks/captions.py says how often they are right. What they do not get right, a
file of overrides does (`Rules.load`).

The task is that of the weakly supervised separation of Mahmud et al. (2024), "Weakly-supervised
Audio Separation via Bi-modal Semantic Similarity", section 4.
"""

from __future__ import annotations

from collections.abc import Iterable

from sepcli.training.corpora.caption_clauses import clauses
from sepcli.training.corpora.caption_rules import Rules, caption_key
from sepcli.training.corpora.caption_subjects import completed


def phrases(caption: str, rules: Rules | None = None) -> tuple[str, ...]:
    """Phrases for the sounds that a caption tells of, in its order, each once.

    Words are never altered: only the first letter is made a capital, and a verb that two nouns
    share is made to agree with each.

    Args:
        caption: a sentence in English.
        rules: the shipped ones if left out.

    Returns:
        At least one phrase; none for a caption without words.
    """
    rules = rules or Rules.load()
    if (known := rules.overrides.get(caption_key(caption))) is not None:
        return known
    found = unique(" ".join(part.words) for part in completed(clauses(caption, rules), rules))
    whole = " ".join(caption.split()).strip(" .,;:!?")
    return found or unique([whole] if whole else [])


def unique(texts: Iterable[str]) -> tuple[str, ...]:
    """Texts with a capital at the start, each once, whatever its case."""
    first: dict[str, str] = {}
    for text in map(capitalised, texts):
        first.setdefault(text.casefold(), text)
    return tuple(first.values())


def capitalised(text: str) -> str:
    """With a capital at the start, unless the first word has one inside: iPhone."""
    word = text.split(maxsplit=1)[0]
    return text if word[1:] != word[1:].lower() else text[0].upper() + text[1:]
