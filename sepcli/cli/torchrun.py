"""Who speaks when torchrun starts a command several times."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from sepcli.errors import ModelError, UsageError


def is_first() -> bool:
    """Whether this is the only process, or the first of those that torchrun started."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def first_speaks() -> Iterator[None]:
    """What is wrong with a config, a corpus or a model is met by every process: one tells it.

    Other errors, such as memory running out, are told by whomever they meet.
    """
    try:
        yield
    except (UsageError, ModelError) as error:
        if is_first():
            raise
        raise typer.Exit(error.exit_code) from None
