"""Items that are mixed when they are read, by the recipe of their data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sepcli.evaluation.datasets.base import Example, Fact


@dataclass(frozen=True)
class MixedItem:
    """What is mixed, and how.

    Attributes:
        name: unique in the data set.
        stems: what `mix` returns references of.
        files: all that `mix` reads.
        mix: the recipe; a `functools.partial` of a module's function, so that it can be pickled.
        facts: what tables are made by.
        queries: stem -> words.
    """

    name: str
    stems: tuple[str, ...]
    files: tuple[Path, ...]
    mix: Callable[[], Example]
    facts: Mapping[str, Fact] = field(default_factory=dict)
    queries: Mapping[str, str] = field(default_factory=dict)

    def read(self) -> Example:
        """Decode the files and mix them.

        Raises:
            ItemError: if a file is missing, broken, or does not fit the others.
        """
        return self.mix()
