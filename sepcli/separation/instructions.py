"""Instructions in words, such as "remove the dog and turn the speech up by 3 dB".

    instruction = clause { ("and" | "but" | "then" | "," | ";" | "without" ...) clause }
    clause      = [verb] {change} sound {change}
    sound       = name | quoted name | "everything else" | "everything except" name
    change      = direction [amount] | amount, such as "louder", "down by 6 dB", "half as loud"

A clause without a verb goes on with what the one before it said, so that "turn down the dog and the
rain by 6 dB" turns both down by as much. What is named is given a gain in dB; a removed sound has
minus infinity. The rest of the recording stays as it is, unless the instruction says what is to
be kept ("keep", "extract", "only" ...): then the rest goes, or gets what is said about it.

What is not in this grammar is refused, with the words at which reading stopped: a guess would cost
the listener more than another try.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NoReturn

from sepcli.errors import UsageError
from sepcli.separation.instruction_levels import (
    AMOUNTS,
    DEGREES,
    DIRECTION,
    DIRECTIONS,
    MUTED,
    Amount,
    Change,
    amount_of,
)
from sepcli.separation.instruction_words import (
    DETERMINERS,
    EXCEPT,
    IMPLIED,
    NOT_SOUNDS,
    OTHER_WORK,
    PLACE,
    POLITE,
    REST,
    UNCHANGED,
    VERBS,
    WRAPPED,
    Verb,
    one_of,
    verb_of,
)

LONGEST = 1000  # characters
REMEDY = (
    "say it as in 'remove the dog and turn the speech up by 3 dB'; "
    'put unusual names of sounds in "double quotes"'
)
QUOTES = re.compile(r'"([^"]*)"|“([^”]*)”|(?<!\w)\'([^\']*)\'(?!\w)')
FIRST_QUOTE = 0xE000  # stand-ins for quoted names are characters for private use, from here on
PARTS = re.compile(
    r"\s*(?:[,;&]|\.(?!\d)|!)\s*|\s+(?:and|but|then|while|plus|also)\s+|\s+(?=without |not )"
)
VERB_PHRASES = one_of(phrase for phrases in VERBS.values() for phrase in phrases)
VERB = re.compile(rf"({VERB_PHRASES})(?: |$)")
SECOND_VERB = re.compile(rf"\b(?:{VERB_PHRASES}) (?:{one_of(DETERMINERS)})\b")
ALONE = re.compile(r" (?:only|alone)$")
BESIDE = re.compile(rf" (?:{one_of(UNCHANGED)})$")
EXCEPTED = "everything-except "


@dataclass(frozen=True)
class Reading:
    """What an instruction asks for.

    Attributes:
        gains: of every sound that it names, dB, in its order; minus infinity removes one.
        rest: gain of everything else, dB.
    """

    gains: tuple[tuple[str, float], ...]
    rest: float

    def lines(self) -> list[str]:
        """The reading in words, a line for each sound and one for the rest."""
        rows = (*self.gains, ("everything else", self.rest))
        return [f"{name}: {in_words(gain)}" for name, gain in rows]


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


@dataclass
class Wishes:
    """Gains as they are collected, clause by clause."""

    gains: dict[str, float] = field(default_factory=dict)
    rest: float | None = None
    keeps: bool = False

    def of_sound(self, name: str, gain: float, clause: Clause) -> None:
        """Note a sound's gain."""
        if self.gains.setdefault(name, gain) != gain:
            stumble(clause.text, f"it says two things about {name!r}")

    def of_rest(self, gain: float, clause: Clause) -> None:
        """Note the gain of everything else."""
        if self.rest not in (None, gain):
            stumble(clause.text, "it says two things about the rest")
        self.rest = gain


def read_instruction(text: str) -> Reading:
    """Read an instruction.

    Raises:
        UsageError: if it is empty, names no sound, contradicts itself, or holds what is not
            in the grammar; the message says at which words.
    """
    if len(text) > LONGEST:
        raise UsageError(f"an instruction of {len(text)} characters", "say less at once")
    quoted = [next(filter(None, match), "") for match in QUOTES.findall(text)]
    numbers = iter(range(FIRST_QUOTE, FIRST_QUOTE + len(quoted)))
    plain = QUOTES.sub(lambda _: chr(next(numbers)), text).lower().replace("’", "'")
    clauses = completed(list(clauses_of(" ".join(plain.split()), quoted)))
    wishes = Wishes()
    for clause in clauses:
        apply(clause, quoted, wishes)
    if not wishes.gains:
        stumble(text.strip(), "it names no sound")
    rest = wishes.rest
    if rest is None:
        rest = MUTED if wishes.keeps else 0.0
    return Reading(tuple(wishes.gains.items()), rest)


def clauses_of(text: str, quoted: Sequence[str]) -> Iterator[Clause]:
    """The parts of an instruction in lower case, as they stand."""
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
    verb = verb_of(phrase) if phrase else None
    if ends := ALONE.search(words) if verb is None else None:
        verb, words = "only", words[: ends.start()]
    if ends := BESIDE.search(words) if verb in (None, "only") else None:
        verb, words = "same", words[: ends.start()]
    words, said = peeled(words, at_start=verb == "change")
    if verb == "cut" and said != Change():
        verb = "change"
    excepted = words.startswith(EXCEPTED)
    change = said if verb == "cut" else said.over(implied(phrase))
    return Clause(text, verb, change, words.removeprefix(EXCEPTED), excepted)


def implied(phrase: str) -> Change:
    """What a verb says without further words."""
    factor = {"double": 2.0, "halve": 0.5}.get(phrase)
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


def completed(clauses: Sequence[Clause]) -> Iterator[Clause]:
    """Clauses with what they take from those beside them."""
    starts = [n for n, clause in enumerate(clauses) if clause.verb is not None or n == 0]
    for start, end in pairwise([*starts, len(clauses)]):
        yield from completed_run(clauses[start:end])


def completed_run(run: Sequence[Clause]) -> Iterator[Clause]:
    """A clause that leads, and those without a verb that go on with it."""
    lead = run[0]
    if lead.verb is None:
        refuse_other_work(lead)
        if lead.change == Change() and not lead.excepted:
            stumble(odd_word(lead.sound) or lead.text, "it does not say what to do")
        lead = replace(lead, verb="only" if lead.change == Change() else "change")
    if lead.verb == "cut" and any(clause.change.relative for clause in run[1:]):
        lead = replace(lead, verb="change", change=Change(IMPLIED["cut"]))
    verbs = [lead.verb, *(verb_after(lead, clause) for clause in run[1:])]
    changes = (
        shared([lead.change, *(clause.change for clause in run[1:])])
        if "change" in verbs[:1]
        else None
    )
    for n, (clause, verb) in enumerate(zip(run, verbs, strict=True)):
        change = changes[n] if changes else clause.change
        excepted = clause.excepted or (lead.excepted and verb == lead.verb)
        yield replace(clause, verb=verb, change=change, excepted=excepted)


def verb_after(lead: Clause, clause: Clause) -> Verb | None:
    """What a clause without a verb says, after the one that leads it."""
    refuse_other_work(clause)
    return lead.verb if clause.change == Change() else "change"


def shared(changes: Sequence[Change]) -> list[Change]:
    """Changes that stand in one list: what one leaves open the next says, or else the one before.

    An amount is shared backwards only from sounds that have no direction of their own.
    """
    filled = list(changes)
    for n in reversed(range(len(filled) - 1)):
        if filled[n] == Change() or (filled[n].amount is None and changes[n + 1].relative):
            filled[n] = filled[n].over(filled[n + 1])
    for n, before in zip(range(1, len(filled)), filled, strict=False):
        if filled[n] == Change() or filled[n].relative:
            filled[n] = filled[n].over(before)
    return filled


def apply(clause: Clause, quoted: Sequence[str], wishes: Wishes) -> None:
    """Note what a clause asks for."""
    gain, name = gain_of(clause), name_of(clause, quoted)
    if clause.excepted:
        wishes.of_rest(gain, clause)
        wishes.of_sound(name, MUTED if clause.verb == "only" else 0.0, clause)
    elif name in REST:
        wishes.of_rest(gain, clause)
    else:
        wishes.of_sound(name, gain, clause)
        wishes.keeps |= clause.verb == "only"


def gain_of(clause: Clause) -> float:
    """Of what a clause names, dB."""
    plain = {"only": 0.0, "same": 0.0, "remove": MUTED, "cut": MUTED}.get(clause.verb or "")
    if clause.change == Change() and plain is not None:
        return plain
    if clause.verb in ("remove", "same"):
        stumble(clause.text, "it says two things about one sound")
    gain = clause.change.decibels()
    if gain is None:
        stumble(clause.text, "it does not say how much louder or quieter")
    return gain


def name_of(clause: Clause, quoted: Sequence[str]) -> str:
    """What a clause's sound is called, without articles.

    Raises:
        UsageError: if it holds words that are no part of a sound's name.
    """
    words = WRAPPED.sub("", WRAPPED.sub("", clause.sound)).split()
    while words and words[0] in DETERMINERS and " ".join(words) not in REST:
        words = words[1:]
    name = " ".join(words)
    if name in REST:
        return name
    if not words:
        stumble(clause.text, "it names no sound")
    if wrong := odd_word(name):
        stumble(restored(wrong, quoted), f"in {clause.text!r} it is no part of a sound's name")
    if match := SECOND_VERB.search(name):
        stumble(match[0], "put 'and' or a comma before it")
    return restored(name, quoted)


def odd_word(name: str) -> str | None:
    """The first word that is no part of a sound's name."""
    return next((word for word in name.split() if word in NOT_SOUNDS or not sayable(word)), None)


def sayable(word: str) -> bool:
    """Whether a word is of letters, or stands for a quoted name."""
    return all(c.isalpha() or c in "-'" or ord(c) >= FIRST_QUOTE for c in word)


def refuse_other_work(clause: Clause) -> None:
    """Refuse clauses that begin with what other tools do."""
    first = clause.sound.partition(" ")[0]
    if first in OTHER_WORK:
        stumble(first, "that is no way to take sounds apart")


def restored(text: str, quoted: Sequence[str]) -> str:
    """Text with the quoted names in their places."""
    for n, name in enumerate(quoted):
        text = text.replace(chr(FIRST_QUOTE + n), " ".join(name.split()))
    return text


def in_words(gain: float) -> str:
    """A gain as people say it."""
    if gain == MUTED:
        return "removed"
    return f"{gain:+.1f} dB" if gain else "kept as it is"


def stumble(words: str, why: str) -> NoReturn:
    """Say where reading stopped.

    Raises:
        UsageError: always.
    """
    raise UsageError(f"cannot read {words!r} in the instruction: {why}", REMEDY)
