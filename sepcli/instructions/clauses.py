"""The clauses of an instruction, each as it stands: its verb, its changes, and its sound."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sepcli.instructions.levels import (
    AMOUNTS,
    DEGREES,
    DIRECTION,
    DIRECTIONS,
    Amount,
    Change,
    amount_of,
)
from sepcli.instructions.quotes import restored
from sepcli.instructions.words import (
    EXCEPT,
    IMPLIED,
    PLACE,
    POLITE,
    UNCHANGED,
    VERB,
    Verb,
    one_of,
    verb_of,
)

PARTS = re.compile(
    r"\s*(?:[,;&]|\.(?!\d)|!)\s*|\s+(?:and|but|then|while|plus|also)\s+|\s+(?=without |not )"
)
ALONE = re.compile(r" (?:only|alone)$")
BESIDE = re.compile(rf" (?:{one_of(UNCHANGED)})$")
EXCEPTED = "everything-except "
FACTORS = {"double": 2.0, "halve": 0.5}  # of amplitude, that a verb has by itself


@dataclass(frozen=True)
class Clause:
    """One part of an instruction.

    Attributes:
        text: as it was written, for the user.
        verb: None if it has none of its own.
        sound: as it is written, with its article.
        excepted: whether it is everything but the sound.
    """

    text: str
    verb: Verb | None
    change: Change
    sound: str
    excepted: bool = False


def clauses_of(text: str, quoted: Sequence[str]) -> Iterator[Clause]:
    """The parts of an instruction in lower case, with stand-ins for quoted names."""
    marked = EXCEPT.sub(lambda match: match[0] if VERB.match(text, match.end()) else EXCEPTED, text)
    for part in PARTS.split(marked):
        if part := stripped(part):
            yield clause_of(part, restored(part, quoted))


def stripped(part: str) -> str:
    """Without what is said for politeness or goes without saying."""
    part = POLITE.sub("", part.strip(" .!?"))
    while (shorter := PLACE.sub("", part)) != part:
        part = shorter
    return part


def clause_of(part: str, text: str) -> Clause:
    """Verb, changes and sound of a part."""
    match = VERB.match(part)
    phrase, words = (match[1], part[match.end() :]) if match else ("", part)
    verb, words = verb_and_rest(verb_of(phrase) if phrase else None, words)
    words, said = peeled(words, at_start=verb == "change")
    if verb == "cut" and said != Change():
        verb = "change"
    excepted = words.startswith(EXCEPTED)
    change = said if verb == "cut" else said.over(implied(phrase))
    return Clause(text, verb, change, words.removeprefix(EXCEPTED), excepted)


def verb_and_rest(verb: Verb | None, words: str) -> tuple[Verb | None, str]:
    """The verb of a part, which may stand at its end ("speech only"), and the other words."""
    if verb is None and (ends := ALONE.search(words)):
        verb, words = "only", words[: ends.start()]
    if verb in (None, "only") and (ends := BESIDE.search(words)):
        verb, words = "same", words[: ends.start()]
    return verb, words


def implied(phrase: str) -> Change:
    """What a verb says without further words."""
    factor = FACTORS.get(phrase)
    return Change(IMPLIED.get(phrase), Amount("level", factor) if factor else None)


def peeled(words: str, at_start: bool) -> tuple[str, Change]:
    """Words without the changes at their end, and at their start if they may stand there."""
    said = Change()
    while found := one_change(words, said, at_start):
        words, more = found
        said = said.over(more)
    return words, said


def one_change(words: str, known: Change, at_start: bool) -> tuple[str, Change] | None:
    """Words without one direction or amount that is not known yet, and what it is."""
    for ending, change in spoken_changes(words, at_start):
        news = known.direction is None or change.direction is None
        if news and (known.amount is None or change.amount is None):
            return ending, change
    return None


def spoken_changes(words: str, at_start: bool) -> Iterator[tuple[str, Change]]:
    """Every direction or amount at either end of some words, with what is left of them."""
    for kind, pattern in AMOUNTS:
        for match, left in at_ends(pattern, words, at_start):
            yield left, Change(None, amount_of(kind, match))
    for match, left in at_ends(DIRECTION, words, at_start):
        degree = Amount("degree", DEGREES[match[1]]) if match[1] else None
        yield left, Change(DIRECTIONS.get(match[2], 0), degree)


def at_ends(
    pattern: re.Pattern[str], words: str, at_start: bool
) -> Iterator[tuple[re.Match[str], str]]:
    """Matches at the end or the start of some words, with the other words."""
    if match := re.search(rf"(?:^|(?<= ))(?:{pattern.pattern})$", words):
        yield match, words[: match.start()].strip()
    if at_start and (match := re.match(rf"(?:{pattern.pattern})(?: |$)", words)):
        yield match, words[match.end() :].strip()
