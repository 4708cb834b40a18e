"""Verbs without a noun get the noun that they belong to: "barks and growls" is two dogs' sounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sepcli.training.corpora.caption_clauses import LISTING, Clause, form_of, is_adverb
from sepcli.training.corpora.caption_rules import Rules
from sepcli.training.corpora.inflection import Form, third

FINITE = Form.BASE | Form.THIRD
SINGULAR = ("a", "an", "one", "this", "another", "each", "every")
PARTICIPIAL = frozenset(["be", "being", "been"])


@dataclass(frozen=True)
class Subject:
    """What a verb may be about.

    Attributes:
        words: with its determiner, as they were written.
        auxiliaries: before its verb: is, are being.
        bare: whether no verb followed it.
    """

    words: tuple[str, ...]
    auxiliaries: tuple[str, ...] = ()
    bare: bool = False


def completed(parts: Sequence[Clause], rules: Rules) -> list[Clause]:
    """Clauses of which each has its noun. Those that only say how a sound goes on are dropped."""
    subject: Subject | None = None
    out: list[Clause] = []
    for part in shared_verbs(parts, rules):
        if continues(part, subject, rules):
            assert subject is not None
            if subject.bare:
                out.pop()
                subject = replace(subject, bare=False)
            if not only_aspect(part, rules):
                out.append(joined(subject, part, rules))
        elif not only_aspect(part, rules):
            whole = named(part, subject, rules)
            subject = subject_of(whole, rules)
            out.append(whole)
    return out


def shared_verbs(parts: Sequence[Clause], rules: Rules) -> list[Clause]:
    """Give a verb in the plural to each of its nouns: "a horn and a bell ring"."""
    out = list(parts)
    for at in range(1, len(parts)):
        first = at
        while first and is_listed(parts[first], parts[first - 1], rules):
            first -= 1
        verb = verb_at(parts[at].lower, rules, plural=True) if first < at else None
        if verb is not None and parts[at].lower[verb] in plural_verbs(rules):
            predicate = parts[at].words[verb:]
            for n in range(first, at + 1):
                noun = parts[n].words if n < at else parts[n].words[:verb]
                out[n] = Clause(parts[n].joint, (*noun, *agreeing(noun, predicate, rules)))
    return out


def is_listed(part: Clause, before: Clause, rules: Rules) -> bool:
    """Whether a clause goes on a list of nouns that the one before it belongs to."""
    listed = set(part.joint.split()) <= LISTING
    alone = verb_at(before.lower, rules) is None and before.lower[-1] not in rules.sounds
    return listed and alone and not form_of(before.lower[0], rules) & Form.GERUND


def plural_verbs(rules: Rules) -> set[str]:
    """Verbs as they follow several nouns."""
    return {"are", "were"} | {w for w, form in rules.verb_forms.items() if form & Form.BASE}


def agreeing(noun: tuple[str, ...], predicate: tuple[str, ...], rules: Rules) -> tuple[str, ...]:
    """A predicate in the plural as it fits one of its nouns."""
    if is_plural([word.lower() for word in noun], rules):
        return predicate
    singular = {"are": "is", "were": "was"}
    verb = predicate[0].lower()
    return (singular.get(verb) or third(verb), *predicate[1:])


def continues(part: Clause, subject: Subject | None, rules: Rules) -> bool:
    """Whether a clause begins with a verb of the subject before it.

    A word in -s counts as one, known or not, where an adverb before it or a determiner or a
    particle after it shows it to be none of the nouns: slowly lengthens, clears his throat.
    """
    gerunds_stand_alone = any(entry in part.joint for entry in rules.gerund_connectives)
    if subject is None or gerunds_stand_alone or part.joint in rules.prepositions_between_sounds:
        return False
    described = is_adverb(part.lower[0], rules)
    words = [word for word in part.lower if not is_adverb(word, rules)] or list(part.lower)
    if subject.bare and ("," not in part.joint or subject.words[-1].lower() in rules.sounds):
        return False
    after = words[1] if len(words) > 1 else ""
    form = form_of(words[0], rules)
    if form & Form.GERUND:
        return not after or is_function(after, rules) or words[0] in rules.transitive_forms
    if words[0] in rules.auxiliaries:
        return True
    if after in rules.auxiliaries or form_of(after, rules) & FINITE:
        return False
    guessed = words[0].endswith("s") and (described or after in rules.determiners | rules.adverbs)
    return agrees(words[0], form | (Form.THIRD if guessed else Form.NONE), subject, rules)


def agrees(word: str, form: Form, subject: Subject, rules: Rules) -> bool:
    """Whether a word, finite or a participle, can be the verb of a subject."""
    if subject.auxiliaries and (form & Form.PAST or word.endswith("ed")):
        return True
    plural = is_plural([w.lower() for w in subject.words], rules)
    singular = subject.words[0].lower() in SINGULAR or not plural
    return bool(form & Form.BASE and plural) or bool(form & Form.THIRD and singular)


def is_function(word: str, rules: Rules) -> bool:
    """Whether a word after a gerund is none of its nouns: barking at, but barking dogs."""
    kinds = rules.determiners | rules.prepositions | rules.pronouns
    return word in kinds or is_adverb(word, rules)


def only_aspect(part: Clause, rules: Rules) -> bool:
    """Whether a clause only says how a sound goes on: fades away, stops."""
    kinds = rules.pronouns | rules.auxiliaries
    words = [w for w in part.lower if w not in kinds and not is_adverb(w, rules)]
    if not words or words[0] not in rules.aspect_forms:
        return False
    return not any(form_of(w, rules) and w not in rules.aspect_forms for w in words[1:])


def joined(subject: Subject, part: Clause, rules: Rules) -> Clause:
    """A subject with a further verb, and the auxiliary that the verb needs.

    A participle after a comma tells more of the noun and needs none: a truck, beeping. Nor does a
    gerund after a passive: bottles are being stacked, clinking.
    """
    form = form_of(part.lower[0], rules)
    participle = form & Form.PAST and not form & FINITE
    gerund = (
        form & Form.GERUND and part.joint != "," and PARTICIPIAL.isdisjoint(subject.auxiliaries)
    )
    auxiliaries = subject.auxiliaries if participle or gerund else ()
    return Clause(part.joint, (*subject.words, *auxiliaries, *part.words))


def named(part: Clause, subject: Subject | None, rules: Rules) -> Clause:
    """A clause with the noun in place of the pronoun that it begins with."""
    if subject is None or part.lower[0] not in rules.pronouns or len(part.words) == 1:
        return part
    return Clause(part.joint, (*subject.words, *part.words[1:]))


def subject_of(part: Clause, rules: Rules) -> Subject | None:
    """What the verb of a clause is about."""
    words = part.lower
    at = verb_at(words, rules)
    if at is None:
        return Subject(part.words, bare=True)
    end = at
    while end < len(words) and (words[end] in rules.auxiliaries or is_adverb(words[end], rules)):
        end += 1
    auxiliaries = tuple(w for w in part.words[at:end] if w.lower() in rules.auxiliaries)
    while at > 1 and is_adverb(words[at - 1], rules):
        at -= 1
    return Subject(part.words[:at], auxiliaries)


def verb_at(words: Sequence[str], rules: Rules, plural: bool = False) -> int | None:
    """Where the verb of a clause is, behind a noun; None if it has none.

    Args:
        words: in lower case.
        rules: that know the verbs.
        plural: whether other nouns share the verb.
    """
    for at in range(1, len(words)):
        if has_noun(words[:at], rules) and may_be_verb(words, at, rules, plural):
            return at
    return None


def has_noun(words: Sequence[str], rules: Rules) -> bool:
    """Whether words can be a subject: they hold a noun, and end in one or in an adverb."""
    kinds = rules.determiners | rules.adjectives | rules.prepositions
    inner = [w for w in words if w not in kinds and not form_of(w, rules) & Form.GERUND]
    nouns = [w for w in inner if not is_adverb(w, rules)]
    return bool(nouns) and words[-1] not in kinds


def may_be_verb(words: Sequence[str], at: int, rules: Rules, plural: bool) -> bool:
    """Whether the word can be the verb of what stands before it."""
    word, before = words[at], words[:at]
    if word in rules.auxiliaries:
        return True
    form = form_of(word, rules)
    several = plural or is_plural(before, rules)
    singular = before[0] in SINGULAR or not is_plural(before, rules)
    guessed = before[0] in ("a", "an") and word.endswith("s") and not word.endswith("ss")
    if form & Form.GERUND or (form & Form.BASE and several):
        return True
    return bool(form & Form.THIRD or guessed) and singular


def is_plural(words: Sequence[str], rules: Rules) -> bool:
    """Whether a noun with its determiner means several."""
    if words[0] in ("a", "an") and "of" not in words:
        return False
    last = next((w for w in reversed(words) if not is_adverb(w, rules)), words[-1])
    return last in rules.plurals or "and" in words or (last[-1:] == "s" and last[-2:] != "ss")
