"""Phrases: put together, compared, and counted as the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b

STEM = 4  # letters that the forms of a word have in common: bark, barks, barking
# Words of captions that tell nothing of what is heard.
SAID_OF_ANYTHING = frozenset(
    re.findall(
        r"\w+",
        """
    a across after again all also among an and another are around as at away back background be
    becomes before being between briefly by close continuously different distance distant down
    during each end far fast faint faintly few first followed following for from further get
    gets getting going has have heard her his in inside into is it its large last left like
    little long loud louder loudly low lower many more moving multiple near nearby next noise
    noises occurs of off on once one only onto other out outside over own playing plays quickly
    quiet quietly rapidly recording repeatedly right second several short slow slowly small soft
    softly some someone something sound sounding sounds start starts stops that the their them
    then there they this three through throughout time times to together top twice two under
    until up various very when where which while with within
""",
    )
)


def joined(phrases: Sequence[str]) -> str:
    """One phrase for all: "a, b and c"."""
    *first, last = phrases
    return f"{', '.join(first)} and {last}" if first else last


def at_most(phrases: Sequence[str], most: int) -> tuple[str, ...]:
    """Phrases that together say the same, joined where there are more than `most`."""
    return tuple(joined(phrases[place::most]) for place in range(min(most, len(phrases))))


def stems(texts: Iterable[str]) -> frozenset[str]:
    """Beginnings of the words that tell what is heard."""
    words = (word for text in texts for word in re.findall(r"[a-z]+", text.lower()))
    return frozenset(
        word.removesuffix("s")[:STEM]
        for word in words
        if len(word) > 2 and word not in SAID_OF_ANYTHING
    )


def meaning(text: str) -> int:
    """A number for a phrase or label, 0 to 2^63 - 1, the same in every process."""
    plain = " ".join(text.lower().replace("_", " ").split())
    return int.from_bytes(blake2b(plain.encode(), digest_size=8).digest(), "big") >> 1
