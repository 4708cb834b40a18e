"""The words that instructions are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

Verb = Literal["only", "remove", "same", "cut", "change"]


def one_of(phrases: Iterable[str]) -> str:
    """A regular expression for one of some phrases, the longest that fits."""
    return "|".join(re.escape(phrase) for phrase in sorted(phrases, key=len, reverse=True))


VERBS: dict[Verb, tuple[str, ...]] = {
    "only": (
        "extract", "isolate", "keep", "keep only", "keep just", "retain", "preserve", "solo",
        "only", "just", "separate", "single out", "pull out", "get out", "leave", "leave only",
        "leave just", "get me", "give me", "give me only", "give me just", "i want", "i need",
        "i want only", "i want just", "i only want", "i just want", "keeping", "keeping only",
        "leaving", "leaving only", "isolating", "extracting",
    ),
    "remove": (
        "remove", "without", "mute", "delete", "drop", "silence", "erase", "eliminate", "strip",
        "kill", "lose", "no", "no more", "not", "get rid of", "filter out", "cut out", "leave out",
        "edit out", "strip out", "clean out", "suppress", "discard", "turn off", "switch off",
        "removing", "muting", "deleting",
    ),
    "same": ("without touching", "without changing", "don't touch", "do not touch"),
    "cut": ("cut", "duck"),  # with a figure they change, without one they mute
    "change": (
        "make", "turn", "bring", "set", "put", "adjust", "change", "dial", "push", "boost", "raise",
        "lift", "amplify", "increase", "double", "reduce", "lower", "attenuate", "decrease",
        "soften", "quieten", "dim", "halve", "making", "turning",
    ),
}  # fmt: skip
VERB_PHRASES = one_of(phrase for phrases in VERBS.values() for phrase in phrases)
VERB = re.compile(rf"({VERB_PHRASES})(?: |$)")
IMPLIED = {
    **dict.fromkeys(("boost", "raise", "lift", "amplify", "increase", "double"), 1),
    **dict.fromkeys(
        ("reduce", "lower", "attenuate", "decrease", "cut", "soften", "quieten", "duck", "dim"), -1
    ),
    "halve": -1,
}  # the direction that a verb has by itself
UNCHANGED = (
    "as it is", "as is", "as they are", "as it was", "alone", "untouched", "unchanged",
    "where it is", "at the same level", "the way it is", "in",
)  # fmt: skip
REST = frozenset(
    {
        "everything", "everything else", "all", "all else", "all sounds", "all the sounds",
        "anything else", "rest", "others", "all others", "other sounds", "all other sounds",
        "all the rest", "all the other sounds", "every other sound", "rest of it", "whole thing",
    }
)  # fmt: skip
# Never part of a sound's name.
NOT_SOUNDS = frozenset(
    {
        "it", "its", "them", "they", "this", "that", "these", "those", "he", "him", "she", "her",
        "you", "i", "me", "we", "us", "one", "ones", "something", "nothing", "everything",
        "anything", "everyone", "all", "else", "if", "when", "whenever", "unless", "until",
        "while", "before", "after", "during", "between", "than", "don't", "dont", "never", "not",
        "doesn't", "can't", "cannot", "shouldn't", "up", "down", "louder", "quieter", "softer",
        "twice", "half", "db", "decibel", "decibels", "percent", "seconds", "minutes", "minute",
        "ms", "beginning",
    }
)  # fmt: skip
# Begins what is asked of other tools, unless it is a sound's name in quotes.
OTHER_WORK = frozenset(
    {
        "add", "pan", "trim", "crop", "fade", "normalize", "normalise", "convert", "speed",
        "slow", "pitch", "shift", "translate", "transcribe", "play", "loop", "reverse", "replace",
        "swap", "move", "detect", "find", "master", "compress", "equalize", "equalise", "split",
        "merge", "save", "export", "upload", "record", "tune", "autotune", "stretch", "apply",
        "upsample", "resample", "mix", "stop", "start", "begin", "tell", "show", "list", "what",
        "where", "who", "why", "how", "rename", "name", "count", "send", "open", "sing", "dub",
        "improve", "fix", "repair", "restore", "label", "describe", "take",
    }
)  # fmt: skip
DETERMINERS = frozenset(
    {
        "the", "a", "an", "any", "some", "my", "our", "your", "their", "his", "her", "all",
        "every", "each", "that", "this", "both",
    }
)  # fmt: skip

POLITE = re.compile(
    r"^(?:(?:and|but|please|kindly|can you|could you|would you|will you|you should|now|first|"
    r"finally|then|also|i want you to|i want to|i'd like you to|i'd like to|i would like you to|"
    r"i would like to|let's|let us|(?:only|just)(?= (?:remove|keep|mute|extract|isolate)\b))\s+)+"
)
PLACE = re.compile(
    r"(?:^|\s+)(?:please|for me|thanks|thank you|completely|entirely|altogether|again|"
    r"(?:from|in|of|on) (?:the|this|my) (?:recording|audio|file|mix|mixture|track|clip|song|"
    r"video|film))$"
)
EXCEPT = re.compile(
    r"\b(?:everything|anything|all(?: (?:the )?(?:other )?sounds?)?)(?: else)?,? "
    r"(?:but|except(?: for)?|apart from|other than|besides)(?: for)? "
)
WRAPPED = re.compile(
    r"^(?:the )?(?:volume|level|loudness|sounds?|noises?)(?: level)? of |"
    r"(?:'s)? (?:volume|level|loudness)$"
)  # around a sound's name


def verb_of(phrase: str) -> Verb:
    """The meaning of a phrase in VERBS."""
    return next(verb for verb, phrases in VERBS.items() if phrase in phrases)
