"""Corpora of short pieces of real recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from sepcli.training.corpora.clip import Clip, Split

ESC10 = Path(__file__).parents[2] / "data/esc10"
START = 97_020  # samples, 2.2 s: where it barks


@pytest.fixture
def barks() -> Callable[..., Path]:
    """Writes a piece of a recording of a dog: 0.3 s at 44.1 kHz."""
    wave, rate = soundfile.read(ESC10 / "1-100032-A.ogg", frames=13_230, start=START)

    def make(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, wave, rate, format="WAV")
        return path

    return make


@pytest.fixture
def a_clip() -> Callable[..., Clip]:
    """Makes a clip of a path; the rest is changed by name."""

    def make(path: Path | str = "x.wav", split: Split = "train", **change: object) -> Clip:
        fields: dict[str, object] = {
            "labels": ("dog",),
            "origin": "somewhere",
            "licence": "CC0",
            "credit": "nobody",
            "ship": True,
            **change,
        }
        return Clip(path=Path(path), split=split, **fields)  # type: ignore[arg-type]

    return make
