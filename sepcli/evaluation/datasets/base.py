"""What a data set is: items on disk, each with a mixture and the sources it was made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from sepcli.evaluation.scene import Array

Fact = str | float


@dataclass(frozen=True)
class Example:
    """An item's audio, in memory.

    Attributes:
        rate: sample rate, Hz.
        mixture: (channels, samples), float64.
        references: stem -> (channels, samples), of the mixture's shape.
    """

    rate: int
    mixture: Array
    references: Mapping[str, Array]


class Item(Protocol):
    """One thing to separate and score; small, and safe to send to another process.

    Attributes:
        name: unique in the data set, with / between folders; names result rows and files.
        stems: what `read` returns references of; may be fewer than the sources heard, where a
            data set has references of its targets only.
        facts: what tables are made by: class, SNR, genre, number of sources, ... What is true of
            one stem only has its name in the key, as in "class:s1".
        queries: stem -> words, where the data set itself says them (captions, labels).
        files: all it is made of, in a fixed order: their content identifies the item.
    """

    @property
    def name(self) -> str: ...
    @property
    def stems(self) -> tuple[str, ...]: ...
    @property
    def facts(self) -> Mapping[str, Fact]: ...
    @property
    def queries(self) -> Mapping[str, str]: ...
    @property
    def files(self) -> tuple[Path, ...]: ...

    def read(self) -> Example:
        """Decode and, where the data set says so, mix.

        Raises:
            ItemError: if a file is missing, broken, or does not fit the others.
        """
        ...


@runtime_checkable
class ProbedItem(Item, Protocol):
    """An item that more can be asked about than where its stems are.

    Attributes:
        paraphrases: stem -> other words for it.
        absent: words for one sound that is unlike all that is heard.
        others: classes that are not heard, `absent`'s among them -> their words.
        examples: stem -> another recording of its class.
    """

    @property
    def paraphrases(self) -> Mapping[str, tuple[str, ...]]: ...
    @property
    def absent(self) -> str: ...
    @property
    def others(self) -> Mapping[str, str]: ...
    @property
    def examples(self) -> Mapping[str, Path]: ...


@dataclass(frozen=True)
class Evidence:
    """Why a folder looks like a data set.

    Attributes:
        certainty: 0 to 1; below 1 where other data sets look the same.
        reason: for people, such as "50 folders with mixture, drums, bass, other and vocals".
    """

    certainty: float
    reason: str


@dataclass(frozen=True)
class Dataset:
    """An entry of the catalogue.

    Attributes:
        title: for people.
        licence: of the audio.
        size: on disk or to download, for people.
        how_to_get: where it comes from.
        signature: one line on what its folder looks like.
        protocols: ids that fit it, the default first.
        splits: name -> number of items when complete (None if there is no fixed number); the
            default, which is scored if none is named, comes first.
        recognise: a folder -> evidence, or None if it is something else.
        items: (root, split) -> items sorted by name.
        home: folder below SEPCLI_DATA where it is looked for, the first that exists.
        bundled: its folder inside sepcli, if it ships with it.
    """

    title: str
    licence: str
    size: str
    how_to_get: str
    signature: str
    protocols: tuple[str, ...]
    splits: Mapping[str, int | None]
    recognise: Callable[[Path], Evidence | None]
    items: Callable[[Path, str], Sequence[Item]]
    home: tuple[str, ...] = field(default=())
    bundled: Path | None = None
