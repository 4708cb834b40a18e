"""Quoted names of sounds, which may hold any words: "rock and roll" is one sound.

While an instruction is read, a single character that no text has stands for each of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

QUOTES = re.compile(r'"([^"]*)"|“([^”]*)”|(?<!\w)\'([^\']*)\'(?!\w)')
FIRST = 0xE000  # characters for private use begin here


def unquoted(text: str) -> tuple[str, list[str]]:
    """Text with a character in place of each quoted name, and the names."""
    names = [next(filter(None, match), "") for match in QUOTES.findall(text)]
    numbers = iter(range(FIRST, FIRST + len(names)))
    return QUOTES.sub(lambda _: chr(next(numbers)), text), names


def restored(text: str, names: Sequence[str]) -> str:
    """Text with the quoted names in their places."""
    for number, name in enumerate(names):
        text = text.replace(chr(FIRST + number), " ".join(name.split()))
    return text


def is_name(character: str) -> bool:
    """Whether a character stands for a quoted name."""
    return ord(character) >= FIRST
