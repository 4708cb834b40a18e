"""A labelled or captioned recording, and which part of training it belongs to.

Every clip belongs to one split. Where a data set has no official ones, a hash of what the clip was
cut from (a package, a recording) decides, so that no source is on both sides and adding clips
moves none of the others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Split = Literal["train", "validation", "test"]

SALT = "sepcli-772:"  # of the split's hash; chosen by how many classes the test parts cover
TEST_PERCENT = 25  # of packages, by number
VALIDATION_PERCENT = 10


@dataclass(frozen=True)
class Clip:
    """A recording, or a part of one.

    Attributes:
        path: of the file.
        labels: classes of what is heard, the main one first; none if there is only a caption.
        origin: package or recording that it was cut from.
        split: the part of training it belongs to.
        licence: as its publisher writes it.
        credit: whom to thank.
        ship: whether a model trained on it may be published under CC BY-SA.
        start: where it begins in the file, in seconds.
        duration: its length in seconds; None for all that follows `start`, as long as nobody has
            opened the file.
        caption: a sentence about all that is heard; empty if nobody wrote one.
        phrases: words for each sound that the caption tells of.
        corpus: name of the corpus, in the reader's or the manifest's words.
        stream: which of the file's audio streams, counted from 0.
    """

    path: Path
    labels: tuple[str, ...]
    origin: str
    split: Split
    licence: str
    credit: str
    ship: bool
    start: float = 0.0
    duration: float | None = None
    caption: str = ""
    phrases: tuple[str, ...] = ()
    corpus: str = ""
    stream: int = 0

    @property
    def label(self) -> str:
        """The main label; the first words about it, if nobody labelled it."""
        return (*self.labels, *self.phrases, self.caption)[0]


def package_split(package: str) -> Split:
    """The part of training that a package's sounds belong to."""
    at = percentile(package)
    if at < TEST_PERCENT:
        return "test"
    return "validation" if at < TEST_PERCENT + VALIDATION_PERCENT else "train"


def percentile(name: str) -> int:
    """A fixed number from 0 to 99 for a name."""
    return int(hashlib.sha256(f"{SALT}{name}".encode()).hexdigest(), 16) % 100
