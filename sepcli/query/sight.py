"""Pictures to ask with, and what a picture shows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Picture:
    """An image file, or a moment of a video.

    Attributes:
        at: seconds into the video; None for an image.
    """

    path: Path
    at: float | None = None

    @property
    def name(self) -> str:
        """What to call it."""
        return self.path.stem if self.at is None else f"{self.path.stem} at {self.at:g} s"


@dataclass(frozen=True)
class Sight:
    """What pictures show, of a list of names.

    Attributes:
        label: the likeliest name.
        probability: of that name, among all of them.
        others: the next likely ones.
    """

    label: str
    probability: float
    others: tuple[str, ...]
