"""Training examples, mixed on the fly and reproducible: (seed, step) decides everything.

A mixture is a sum of two to three sounds of unlike labels, each brought to the same level
over its active samples and then moved by a random gain. Short sounds are repeated with gaps
until the window is full. The targets sum to the mixture exactly.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sepcli.training.corpus import RATE, Sound
from sepcli.training.ontology import ANYTHING, Ontology

Wave = NDArray[np.float32]

LEVEL = 0.1  # RMS over active samples, before the gain: -20 dBFS
ACTIVE = 0.01  # samples above this part of the peak count as active
GAIN_DB = 4.0  # standard deviation of the gain between sources
SPEEDS = (0.85, 1.18)  # resampling range, pitch and time together
SOURCES = ((1, 0.08), (2, 0.77), (3, 0.15))  # how many sounds a mixture has, and how often
LOWPASSED = 0.15  # of mixtures lose their high frequencies, as old recordings do


@dataclass(frozen=True)
class Mixture:
    """Sources that were summed, with their labels."""

    sources: NDArray[np.float32]  # (sources, samples)
    labels: tuple[str, ...]

    @property
    def wave(self) -> NDArray[np.float32]:
        """The sum of the sources, (samples,)."""
        total: NDArray[np.float32] = self.sources.sum(axis=0)
        return total


class Pantry:
    """Sounds by label, drawn with a chance that grows with the square root of their duration.

    Args:
        sounds: what there is to draw from.
        ontology: which labels are alike.
        emphasis: factors on the chance of some labels.
    """

    def __init__(
        self, sounds: Sequence[Sound], ontology: Ontology, emphasis: dict[str, float] | None = None
    ) -> None:
        by_label: dict[str, list[Sound]] = defaultdict(list)
        for sound in sounds:
            by_label[sound.clip.label].append(sound)
        self.ontology = ontology
        self.by_label = dict(sorted(by_label.items()))
        self.labels = list(self.by_label)
        self.asked = [x for x in self.labels if ontology.groups[x] != ANYTHING]
        self._chance = {
            label: (emphasis or {}).get(label, 1.0)
            * min(120.0, sum(len(s.wave) for s in row) / RATE) ** 0.5
            for label, row in self.by_label.items()
        }

    def label(self, rng: random.Random, unlike: Sequence[str] = ()) -> str:
        """A random label that can be asked for, unlike the given ones."""
        allowed = self.unlike(unlike)
        return rng.choices(allowed, [self._chance[x] for x in allowed])[0]

    def unlike(self, labels: Sequence[str]) -> list[str]:
        """All labels that can be asked for and are unlike the given ones."""
        known = [x for x in labels if self.ontology.groups[x] != ANYTHING]
        return [x for x in self.asked if not any(self.ontology.alike(x, y) for y in known)]

    def companion(self, rng: random.Random, unlike: Sequence[str]) -> str:
        """A label to mix with others: unlike them, or a background that may hold anything."""
        backgrounds = [x for x in self.labels if self.ontology.groups[x] == ANYTHING]
        if backgrounds and rng.random() < 0.04:
            return rng.choice(backgrounds)
        return self.label(rng, unlike)

    def window(self, label: str, samples: int, rng: random.Random) -> Wave:
        """(samples,) of a random sound of the label, at LEVEL over its active samples."""
        sound = rng.choice(self.by_label[label])
        return at_level(fill(sound, samples, rng))


def mix(pantry: Pantry, samples: int, rng: random.Random) -> Mixture:
    """One training mixture of `samples` samples at RATE."""
    counts, chances = zip(*SOURCES, strict=True)
    count = rng.choices(counts, chances)[0]
    labels = [pantry.label(rng)]
    while len(labels) < count and pantry.unlike(labels):
        labels.append(pantry.companion(rng, labels))
    gains = [1.0] + [10 ** (rng.gauss(0, GAIN_DB) / 20) for _ in labels[1:]]
    sources = [g * pantry.window(x, samples, rng) for g, x in zip(gains, labels, strict=True)]
    stack = (np.stack(sources) * 10 ** (rng.uniform(-20, 10) / 20)).astype(np.float32)
    if rng.random() < LOWPASSED:
        stack = lowpass(stack, rng.uniform(3000, 10_000))
    return Mixture(stack, tuple(labels))


def fill(sound: Sound, samples: int, rng: random.Random) -> Wave:
    """A window of a sound around one of its active moments, at a random speed."""
    speed = rng.uniform(*SPEEDS)
    length = int(samples * speed)
    wave = sound.wave.astype(np.float32)
    if len(wave) >= length:
        centre = int(rng.choice(sound.active)) - rng.randrange(length)
        start = min(max(0, centre), len(wave) - length)
        cut = wave[start : start + length]
    else:
        cut = repeated(wave, length, rng)
    at = np.linspace(0, length - 1, samples, dtype=np.float32)
    return np.interp(at, np.arange(length, dtype=np.float32), cut).astype(np.float32)


def repeated(wave: Wave, length: int, rng: random.Random) -> Wave:
    """(length,): the sound at a random onset, and again after random gaps while there is room."""
    out = np.zeros(length, np.float32)
    at = rng.randrange(max(1, length - len(wave))) if rng.random() < 0.5 else 0
    while at < length:
        part = wave[: length - at]
        out[at : at + len(part)] = part
        at += len(wave) + int(rng.expovariate(1 / (0.4 * RATE)))
    return out


def at_level(wave: Wave) -> Wave:
    """Scale to LEVEL, measured as RMS over the samples above ACTIVE times the peak."""
    return wave * (LEVEL / max(active_rms(wave), 1e-8))


def active_rms(wave: NDArray[np.floating]) -> float:
    """RMS over the samples above one per cent of the peak; 0 for silence."""
    size = np.abs(wave)
    loud = size > ACTIVE * size.max(initial=0.0)
    return float(np.sqrt(np.square(wave[loud], dtype=np.float64).mean())) if loud.any() else 0.0


def lowpass(waves: Wave, cutoff: float) -> Wave:
    """Remove everything above `cutoff` Hz, with a slope half an octave wide."""
    frequency = np.fft.rfftfreq(waves.shape[-1], 1 / RATE)
    octaves = np.log2(np.maximum(frequency, 1) / cutoff)
    gain = np.clip(1 - 2 * octaves, 0, 1)
    filtered: Wave = np.fft.irfft(np.fft.rfft(waves) * gain, waves.shape[-1]).astype(np.float32)
    return filtered
