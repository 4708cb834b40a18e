"""From an instruction to a gain for every sound that it names, and one for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sepcli.errors import UsageError
from sepcli.instructions.clauses import Clause, clauses_of
from sepcli.instructions.context import completed
from sepcli.instructions.levels import MUTED, Change
from sepcli.instructions.names import name_of
from sepcli.instructions.quotes import unquoted
from sepcli.instructions.refusal import stumble
from sepcli.instructions.words import REST

LONGEST = 1000  # characters


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

    def reading(self) -> Reading:
        """All of them; the rest goes if something is kept and nothing is said of the rest."""
        unsaid = MUTED if self.keeps else 0.0
        return Reading(tuple(self.gains.items()), unsaid if self.rest is None else self.rest)


def read_instruction(text: str) -> Reading:
    """Read an instruction.

    Raises:
        UsageError: if it is empty, names no sound, contradicts itself, or holds what is not
            in the grammar; the message says at which words.
    """
    if len(text) > LONGEST:
        raise UsageError(f"an instruction of {len(text)} characters", "say less at once")
    plain, quoted = unquoted(text)
    words = " ".join(plain.lower().replace("’", "'").split())
    wishes = Wishes()
    for clause in completed(list(clauses_of(words, quoted))):
        apply(clause, quoted, wishes)
    if not wishes.gains:
        stumble(text.strip(), "it names no sound")
    return wishes.reading()


def apply(clause: Clause, quoted: Sequence[str], wishes: Wishes) -> None:
    """Note what a clause asks for."""
    gain, name = gain_of(clause), name_of(clause.sound, clause.text, quoted)
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


def in_words(gain: float) -> str:
    """A gain as people say it."""
    if gain == MUTED:
        return "removed"
    return f"{gain:+.1f} dB" if gain else "kept as it is"
