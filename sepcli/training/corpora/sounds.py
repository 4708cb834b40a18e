"""Clips as sounds in memory: decoded when they are asked for, and kept as long as there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import soxr
from numpy.typing import NDArray

from sepcli.audio.reader import blocks, probe
from sepcli.errors import ItemError
from sepcli.training.corpora.clip import Clip

RATE = 32_000  # Hz, of the project's own networks
SILENCE = 2.0**-15  # a peak of one step of 16 bits is silence, with or without dither
FRAMES_PER_SECOND = 50
ACTIVE = 1e-3  # of the loudest frame's power, -30 dB
GIB = 2**30  # bytes


class SilentClip(ItemError):
    """A clip in which nothing is to be heard."""


@dataclass(frozen=True)
class Sound:
    """A clip in memory.

    Attributes:
        clip: what it is.
        wave: (samples,), mono, full scale at 1.
        rate: its sample rate, Hz.
    """

    clip: Clip
    wave: NDArray[np.float16]
    rate: int = RATE

    @cached_property
    def active(self) -> NDArray[np.int64]:
        """Starts of the 20 ms frames less than 30 dB below the loudest one."""
        frame = self.rate // FRAMES_PER_SECOND
        padded = np.pad(self.wave.astype(np.float32), (0, -len(self.wave) % frame))
        power = np.square(padded.reshape(-1, frame)).mean(axis=1)
        return np.flatnonzero(power > ACTIVE * power.max()) * frame


class Sounds:
    """Clips by their sound, decoded when they are first asked for.

    When memory is full, the sounds that nobody has asked for the longest are forgotten. Every
    process that mixes has a store of its own.

    Args:
        clips: all that may be asked for.
        rate: sample rate of the sounds, Hz.
        memory_gib: room for decoded sounds; one sound is always held.
    """

    def __init__(self, clips: Iterable[Clip], rate: int, memory_gib: float) -> None:
        self.clips = tuple(clips)
        self.rate = rate
        self.room = int(memory_gib * GIB)
        self.held = 0  # bytes
        self._sounds: OrderedDict[Clip, Sound] = OrderedDict()

    def __getitem__(self, clip: Clip) -> Sound:
        """A clip's sound.

        Raises:
            ItemError: if the file is missing, broken, or silent.
        """
        if clip in self._sounds:
            self._sounds.move_to_end(clip)
        else:
            self._sounds[clip] = load(clip, self.rate)
            self.held += self._sounds[clip].wave.nbytes
            self._make_room()
        return self._sounds[clip]

    def _make_room(self) -> None:
        while self.held > self.room and len(self._sounds) > 1:
            _, forgotten = self._sounds.popitem(last=False)
            self.held -= forgotten.wave.nbytes


def load(clip: Clip, rate: int = RATE) -> Sound:
    """Decode a clip to mono at a sample rate.

    Raises:
        ItemError: if the file is missing, broken, or silent.
    """
    wave, native = decode(clip)
    if native != rate:
        wave = soxr.resample(wave, native, rate)
    return Sound(clip, wave.astype(np.float16), rate)


def decode(clip: Clip) -> tuple[NDArray[np.float32], int]:
    """The mean of a clip's channels, (samples,), and their sample rate in Hz.

    Raises:
        ItemError: if the file is missing, broken, or silent.
    """
    info = probe(clip.path, clip.stream)
    parts = [block.mean(axis=1) for block in blocks(info, clip.start, clip.duration)]
    if not parts:
        message = f"no samples in {clip.path} from {clip.start:g} s on"
        raise ItemError(message, "correct its start, or get the file again")
    wave = np.concatenate(parts)
    if np.abs(wave).max() <= SILENCE:
        raise SilentClip(f"silent training clip: {clip.path}", "drop its row from the manifest")
    return wave, info.rate
