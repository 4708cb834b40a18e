"""How much louder or quieter an instruction asks for, in decibels."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from sepcli.instructions.words import one_of

Kind = Literal[
    "db", "gain", "by percent", "to percent", "times as loud", "by half", "level", "degree"
]

MUTED = -math.inf  # dB
PLAIN_DB = 6.0  # of "louder" without a figure
DEGREES = {
    **dict.fromkeys(("a bit", "a little", "a little bit", "slightly", "somewhat", "a touch"), 3.0),
    **dict.fromkeys(("a lot", "much", "way", "far", "considerably", "a great deal"), 12.0),
}  # dB
TRAILING = ("a bit", "a little", "a little bit", "slightly", "somewhat", "a touch", "a lot")
LOUDNESS_DB = 10.0  # that much more is heard as twice as loud: a doubling in sone is 10 phon
MOST_DB = 60.0  # more is a slip of the pen
DIRECTIONS = {
    **dict.fromkeys(("up", "louder", "higher"), 1),
    **dict.fromkeys(("down", "quieter", "softer", "lower"), -1),
}
OFF = "off"
WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "fifteen", "twenty", "thirty", "forty", "fifty",
)  # fmt: skip
VALUES = (*range(13), 15, 20, 30, 40, 50)
FACTORS = {"half": 0.5, "twice": 2.0, "double": 2.0}
NUMBERS = {word: float(value) for word, value in zip(WORDS, VALUES, strict=True)}

SIGNS = ("+", "-", "plus", "minus")

NUMBER = rf"(?:(?:minus |plus )?(?:{one_of(NUMBERS)}|\d+(?:\.\d+)?)|[+-]\d+(?:\.\d+)?)"
DIRECTION = re.compile(rf"(?:({one_of(DEGREES)}) )?({one_of([*DIRECTIONS, OFF])})")
AMOUNTS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("db", re.compile(rf"(?:by |to |at )?({NUMBER}) ?(?:dbs?|decibels?)")),
    ("by percent", re.compile(rf"by ({NUMBER}) ?(?:%|percent|per cent)")),
    ("to percent", re.compile(rf"(?:to |at )({NUMBER}) ?(?:%|percent|per cent)")),
    (
        "times as loud",
        re.compile(
            rf"(twice|half|{NUMBER} times) as (loud|quiet|soft)(?: as (?:before|it is|now))?"
        ),
    ),
    ("by half", re.compile(r"by (half)")),
    ("level", re.compile(r"(?:to )?(half|twice|double) (?:the |its )?(?:volume|level)|to (half)")),
    ("degree", re.compile(rf"({one_of(TRAILING)})")),
)


@dataclass(frozen=True)
class Amount:
    """How much, and what it is measured in."""

    kind: Kind
    value: float


@dataclass(frozen=True)
class Change:
    """What is known of a change; None is left open.

    Attributes:
        direction: 1 up, -1 down, 0 off.
    """

    direction: int | None = None
    amount: Amount | None = None

    def over(self, other: Change) -> Change:
        """This one, with what it leaves open taken from another."""
        direction = other.direction if self.direction is None else self.direction
        return Change(direction, other.amount if self.amount is None else self.amount)

    @property
    def relative(self) -> bool:
        """Whether an amount is given that needs a direction."""
        kinds = ("db", "by percent", "by half", "degree")
        return self.direction is None and self.amount is not None and self.amount.kind in kinds

    def decibels(self) -> float | None:
        """The gain, or None if it stays open or contradicts itself."""
        if self.direction == 0:
            return MUTED
        gain = self._gain()
        return gain if gain is None or gain == MUTED or abs(gain) <= MOST_DB else None

    def _gain(self) -> float | None:
        up, amount = self.direction, self.amount
        if amount is None:
            return None if up is None else up * PLAIN_DB
        value = amount.value
        match amount.kind:
            case "db":
                return value if up is None else up * value
            case "gain":
                return agreeing(value, up)
            case "times as loud":
                return agreeing(LOUDNESS_DB * math.log2(value), up) if value > 0 else None
            case "level" | "to percent":
                return agreeing(of_factor(value), up)
            case "degree":
                return None if up is None else up * value
        return None if up is None else of_factor(1 + up * value)


def agreeing(gain: float | None, direction: int | None) -> float | None:
    """A gain, unless it goes the other way."""
    against = gain is not None and direction is not None and gain * direction < 0
    return None if against else gain


def of_factor(factor: float) -> float | None:
    """Decibels of a factor of amplitude."""
    if factor <= 0:
        return MUTED if factor == 0 else None
    return 20 * math.log10(factor)


def number(text: str) -> float:
    """Digits or words, with a sign in either form."""
    sign, _, plain = text.rpartition(" ")
    value = NUMBERS[plain] if plain in NUMBERS else float(plain)
    return -value if sign == "minus" else value


def amount_of(kind: Kind, match: re.Match[str]) -> Amount:
    """What a match of AMOUNTS says."""
    text = next(group for group in match.groups() if group)
    if kind == "degree":
        return Amount(kind, DEGREES[text])
    if kind == "times as loud":
        factor = FACTORS.get(text) or number(text.removesuffix(" times"))
        return Amount(kind, factor if match[2] == "loud" or not factor else 1 / factor)
    if kind == "db" and text.startswith(SIGNS):
        return Amount("gain", number(text))
    value = FACTORS.get(text) or number(text)
    return Amount(kind, value / 100 if "percent" in kind else value)
