"""Recordings as arrays: one stream of one file, whole or in part, in float64."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from sepcli.audio.reader import blocks, probe
from sepcli.errors import ItemError
from sepcli.evaluation.scene import Array


@dataclass(frozen=True)
class Track:
    """Where a sound is.

    Attributes:
        path: of the file.
        stream: which of its audio streams, counted from 0.
    """

    path: Path
    stream: int = 0


@dataclass(frozen=True)
class Sound:
    """A decoded track.

    Attributes:
        track: where it came from; errors name it.
        rate: sample rate, Hz.
        wave: (channels, samples).
    """

    track: Track
    rate: int
    wave: Array

    def mono(self, rate: int) -> Array:
        """(samples,): the mean of the channels, at `rate` Hz."""
        wave: Array = self.wave.mean(axis=0)
        if self.rate != rate:
            wave = soxr.resample(wave, self.rate, rate, quality="VHQ")
        return wave


def read_sound(track: Track, start: float = 0.0, end: float | None = None) -> Sound:
    """Decode a track, or samples floor(start rate) to floor(end rate) of it; times in seconds.

    Raises:
        ItemError: if it is missing, broken, or has no samples there.
    """
    info = probe(track.path, track.stream)
    first = int(start * info.rate)
    duration = None if end is None else (int(end * info.rate) - first) / info.rate
    parts = list(blocks(info, first / info.rate, duration))
    if not parts:
        raise ItemError(f"no samples in {track.path}", "get the file again")
    return Sound(track, info.rate, np.concatenate(parts).T.astype(np.float64))


def fitted(wave: Array, samples: int) -> Array:
    """Zeros appended to the last axis, or its end cut, so that it has `samples` samples."""
    missing = samples - wave.shape[-1]
    if missing <= 0:
        return wave[..., :samples]
    return np.pad(wave, [(0, 0)] * (wave.ndim - 1) + [(0, missing)])
