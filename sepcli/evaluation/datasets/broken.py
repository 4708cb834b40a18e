"""Items that are listed but cannot be read: counted as failures, instead of left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sepcli.errors import ItemError
from sepcli.evaluation.datasets.base import Example, Fact


@dataclass(frozen=True)
class BrokenItem:
    """What is left of an item whose description is missing or makes no sense.

    Attributes:
        name: unique in the data set.
        files: what there is of it.
        problem: what is wrong.
    """

    name: str
    files: tuple[Path, ...]
    problem: str

    @property
    def stems(self) -> tuple[str, ...]:
        """None are known."""
        return ()

    @property
    def facts(self) -> Mapping[str, Fact]:
        """None are known."""
        return {}

    @property
    def queries(self) -> Mapping[str, str]:
        """None are known."""
        return {}

    def read(self) -> Example:
        """Say what is wrong.

        Raises:
            ItemError: always.
        """
        raise ItemError(f"{self.name}: {self.problem}", "get the item again, or correct it")
