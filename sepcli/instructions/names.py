"""What the sound of a clause is called."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sepcli.instructions.quotes import is_name, restored
from sepcli.instructions.refusal import stumble
from sepcli.instructions.words import (
    DETERMINERS,
    NOT_SOUNDS,
    REST,
    VERB_PHRASES,
    WRAPPED,
    one_of,
)

SECOND_VERB = re.compile(rf"\b(?:{VERB_PHRASES}) (?:{one_of(DETERMINERS)})\b")


def name_of(sound: str, text: str, quoted: Sequence[str]) -> str:
    """A sound's name, without articles; or one of REST.

    Args:
        sound: as a clause has it, with stand-ins for quoted names.
        text: of the clause, for the user.
        quoted: the quoted names.

    Raises:
        UsageError: if it holds words that are no part of a sound's name.
    """
    words = WRAPPED.sub("", WRAPPED.sub("", sound)).split()
    while words and words[0] in DETERMINERS and " ".join(words) not in REST:
        words = words[1:]
    name = " ".join(words)
    if name in REST:
        return name
    if not words:
        stumble(text, "it names no sound")
    if wrong := odd_word(name):
        stumble(restored(wrong, quoted), f"in {text!r} it is no part of a sound's name")
    if match := SECOND_VERB.search(name):
        stumble(match[0], "put 'and' or a comma before it")
    return restored(name, quoted)


def odd_word(name: str) -> str | None:
    """The first word that is no part of a sound's name."""
    return next((word for word in name.split() if word in NOT_SOUNDS or not sayable(word)), None)


def sayable(word: str) -> bool:
    """Whether a word is of letters, or stands for a quoted name."""
    return all(c.isalpha() or c in "-'" or is_name(c) for c in word)
