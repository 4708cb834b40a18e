"""A caption cut into clauses: at connectives and punctuation, but not inside idioms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sepcli.training.corpora.caption_rules import Entries, Rules
from sepcli.training.corpora.inflection import Form

BREAK = re.compile(r"[,;:.!?]+(?=\s|$)|\s[-–—]+\s|[()\"“”]")
GERUND = "ing"
SHORTEST_GERUND = 5  # letters: going, but not sing
LISTING = {"and", ",", "but"}  # joints of what is alike
WIDEST_PLACE = 3  # words between a preposition and the place


@dataclass(frozen=True)
class Clause:
    """Words between two joints.

    Attributes:
        joint: the connective before them, lower case, "," for punctuation, "" at the start.
        words: as they were written.
    """

    joint: str
    words: tuple[str, ...]

    @property
    def lower(self) -> tuple[str, ...]:
        """The words in lower case."""
        return tuple(word.lower() for word in self.words)


def clauses(caption: str, rules: Rules) -> list[Clause]:
    """The clauses of a caption, without places and words that say nothing."""
    words = without(words_of(caption), rules.drop_words)
    cut = [part for clause in split(words, rules) for part in split_preposition(clause, rules)]
    tidy = (Clause(c.joint, without_places(c.words, rules)) for c in glued(cut, rules))
    return [clause for clause in tidy if names_something(clause.lower, rules)]


def words_of(caption: str) -> tuple[str, ...]:
    """Words, and "," for whatever punctuation ends or interrupts a sentence."""
    return tuple(BREAK.sub(" , ", caption).split())


def split(words: Sequence[str], rules: Rules) -> Iterator[Clause]:
    """Cut at connectives and punctuation. Joints without words between them become one."""
    joint, at = "", 0
    begun: list[str] = []
    while at < len(words):
        kept = idiom_at(words, at, rules)
        length = 0 if kept else joint_at(words, at, rules)
        if length == 0:
            begun += words[at : at + max(1, kept)]
        else:
            if begun:
                yield Clause(joint, tuple(begun))
                joint, begun = "", []
            joint = f"{joint} {' '.join(words[at : at + length])}".strip().lower()
        at += max(1, kept, length)
    if begun:
        yield Clause(joint, tuple(begun))


def joint_at(words: Sequence[str], at: int, rules: Rules) -> int:
    """How many words the joint takes that begins here; 0 if there is none."""
    if words[at] == ",":
        return 1
    return next((len(j) for j in rules.joints if matches(words, at, j)), 0)


def idiom_at(words: Sequence[str], at: int, rules: Rules) -> int:
    """How many words the idiom takes that begins here; 0 if there is none."""
    for idiom in rules.idiom_words:
        if length := matched_past_determiners(words, at, idiom, rules):
            return length
    twice = [word.lower() for word in words[at : at + 3]]
    return 3 if len(twice) == 3 and twice[0] == twice[2] and twice[1] == "and" else 0


def matched_past_determiners(
    words: Sequence[str], at: int, idiom: tuple[str, ...], rules: Rules
) -> int:
    """Words from `at` on that an idiom takes, with determiners between its words; 0 for none."""
    end = at
    for word in idiom:
        while at < end < len(words) and words[end].lower() in rules.determiners:
            end += 1
        if end >= len(words) or words[end].lower() != word:
            return 0
        end += 1
    return end - at


def matches(words: Sequence[str], at: int, entry: tuple[str, ...]) -> bool:
    """Whether an entry's words stand here."""
    return tuple(word.lower() for word in words[at : at + len(entry)]) == entry


def without(words: tuple[str, ...], entries: Entries) -> tuple[str, ...]:
    """Words without those of entries, the longest of which come first."""
    kept: list[str] = []
    at = 0
    while at < len(words):
        length = next((len(e) for e in entries if matches(words, at, e)), 0)
        if length == 0:
            kept.append(words[at])
        at += max(1, length)
    return tuple(kept)


def split_preposition(clause: Clause, rules: Rules) -> Iterator[Clause]:
    """Cut before a preposition whose noun sounds by itself: "with birds singing"."""
    words = clause.lower
    for at, word in enumerate(words):
        between = word in rules.prepositions_between_sounds
        if between and sounds_by_itself(words[at + 1 :], rules):
            if at:
                yield Clause(clause.joint, clause.words[:at])
            yield from split_preposition(Clause(word, clause.words[at + 1 :]), rules)
            return
    yield clause


def sounds_by_itself(words: Sequence[str], rules: Rules) -> bool:
    """Whether what follows a preposition is a sound, not a manner or a place."""
    return any(word in rules.sounds or form_of(word, rules) & Form.GERUND for word in words)


def form_of(word: str, rules: Rules) -> Form:
    """What a lower-case word may be of a verb; words in -ing need not be in the list."""
    known = rules.verb_forms.get(word, Form.NONE)
    by_ending = word.endswith(GERUND) and len(word) >= SHORTEST_GERUND
    return known | (Form.GERUND if by_ending and word not in rules.not_gerunds else Form.NONE)


def glued(parts: Sequence[Clause], rules: Rules) -> list[Clause]:
    """Put together what a joint between two describing words has cut: a low and steady hum."""
    out: list[Clause] = []
    for part in parts:
        if out and (lacks_noun(out[-1].lower, rules) or trails(part, rules)):
            text = " ".join((*out[-1].words, part.joint, *part.words)).replace(" ,", ",")
            out[-1] = Clause(out[-1].joint, tuple(text.split()))
        else:
            out.append(part)
    return out


def describes(words: Sequence[str], rules: Rules) -> bool:
    """Whether no word is a noun or a verb."""
    return all(
        word in rules.determiners or word in rules.adjectives or is_adverb(word, rules)
        for word in words
    )


def lacks_noun(words: Sequence[str], rules: Rules) -> bool:
    """Whether a noun is still to come: a low."""
    begun = words[0] in rules.determiners or words[-1] in rules.adjectives
    return begun and describes(words, rules)


def trails(part: Clause, rules: Rules) -> bool:
    """Whether a clause only tells more of the verb before it: slowly and softly."""
    plain = set(part.joint.split()) <= LISTING
    return plain and all(is_adverb(w, rules) or w in rules.adjectives for w in part.lower)


def is_adverb(word: str, rules: Rules) -> bool:
    """Whether a word describes a verb."""
    return word in rules.adverbs or (word.endswith("ly") and word not in rules.verb_forms)


def without_places(words: tuple[str, ...], rules: Rules) -> tuple[str, ...]:
    """Words without those that say where a sound is."""
    words = without(words, rules.place_words)
    kept: list[str] = []
    at = 0
    while at < len(words):
        length = place_at(words, at, rules)
        if length == 0:
            kept.append(words[at])
        at += max(1, length)
    return tuple(kept)


def place_at(words: Sequence[str], at: int, rules: Rules) -> int:
    """How many words the place takes that begins here with a preposition; 0 if there is none."""
    lower = [word.lower() for word in words[at : at + 2 + WIDEST_PLACE]]
    if lower[0] not in rules.place_prepositions:
        return 0
    determined = len(lower) > 1 and lower[1] in rules.determiners
    nouns = [n for n, word in enumerate(lower) if n and word in rules.place_nouns]
    for noun in reversed(nouns):
        between = lower[1:noun]
        plain = all(w in rules.adjectives or w in rules.place_nouns for w in between)
        sounding = any(form_of(w, rules) & (Form.GERUND | Form.THIRD) for w in between)
        if plain or (determined and not sounding and not rules.prepositions & set(between)):
            return noun + 1
    return 0


def names_something(words: Sequence[str], rules: Rules) -> bool:
    """Whether a clause has a word that is more than a link or a description."""
    links = rules.prepositions | rules.pronouns | rules.auxiliaries
    return any(word not in links and not describes([word], rules) for word in words)
