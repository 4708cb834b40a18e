"""Real recordings, equally loud, in mixtures of two source mixtures."""

from __future__ import annotations

from lessons import Part, clip
from torch import Tensor

PLACES = {  # where something is heard
    "dog barking": ("3-144028-A", 0.0),
    "rain": ("1-17367-A", 1.0),
    "ticking clock": ("1-35687-A", 0.2),
    "helicopter": ("1-172649-A", 1.0),
}


def recorded(name: str) -> tuple[str, Tensor]:
    """Its phrase, and (samples,) with an RMS of 0.1."""
    wave = clip(*PLACES[name])
    return name, wave * (0.1 / wave.square().mean().sqrt())


def mixture(*parts: tuple[str, ...]) -> list[Part]:
    """Of source mixtures that hold these sounds."""
    return [[recorded(name) for name in part] for part in parts]
