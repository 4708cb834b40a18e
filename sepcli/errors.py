"""What a user may be told: what went wrong, and what to do about it.

Every error that reaches the terminal is one of these. Its class decides the exit code.
"""

from __future__ import annotations

import errno

MEMORY_WORDS = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "alloc_cpu",
    "can't start new thread",
    "failed to map segment",  # of a library that is loaded
)


class SepcliError(Exception):
    """Base of all errors meant for the user: one line of what, one of remedy.

    Args:
        message: what is wrong.
        remedy: what the user can do.
    """

    exit_code = 1

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[SepcliError], tuple[str, str]]:
        return type(self), (str(self), self.remedy)  # what pickle calls it with again


class ItemError(SepcliError):
    """One file of many could not be read, separated or written."""


class UsageError(SepcliError):
    """A bad option, config or manifest, or outputs that collide."""

    exit_code = 2


class ModelError(SepcliError):
    """A model that is unknown, missing, or not what its registry entry says."""

    exit_code = 3


class MemoryExhausted(SepcliError):
    """Out of memory even after backing off."""

    exit_code = 4


class OutputError(SepcliError):
    """The disk is full, read-only or the output is locked; nothing half-written remains."""

    exit_code = 5


def is_memory(error: BaseException) -> bool:
    """Whether an error says that there is no more memory, whoever wanted it."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    text = str(error).lower()
    return any(words in text for words in MEMORY_WORDS)
