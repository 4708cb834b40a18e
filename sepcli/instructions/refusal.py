"""What is said of an instruction that cannot be read."""

from __future__ import annotations

from typing import NoReturn

from sepcli.errors import UsageError

REMEDY = (
    "say it as in 'remove the dog and turn the speech up by 3 dB'; "
    'put unusual names of sounds in "double quotes"'
)


def stumble(words: str, why: str) -> NoReturn:
    """Say where reading stopped.

    Raises:
        UsageError: always.
    """
    raise UsageError(f"cannot read {words!r} in the instruction: {why}", REMEDY)
