"""One training mixture, decided by a random generator and the config's `mixing`.

Every source is brought to the same level over its active samples and then moved by a random
gain. Sums are formed in order: the sources of a part are its waveform, and the parts the mixture,
to the last bit.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from sepcli.training.config import MixingConfig
from sepcli.training.corpora.clip import Clip
from sepcli.training.mixing.augment import lowpass
from sepcli.training.mixing.draw import draw, subjects
from sepcli.training.mixing.kinship import Subject
from sepcli.training.mixing.level import Wave, gain
from sepcli.training.mixing.pantry import Pantry, is_single
from sepcli.training.mixing.wording import at_most, joined
from sepcli.training.ontology import TEMPLATES, Ontology

CUTOFFS = (3000.0, 10_000.0)  # Hz, of low-passed mixtures


@dataclass(frozen=True)
class SourceMixture:
    """A part of a mixture.

    Attributes:
        wave: (samples,), the sum of the sources.
        caption: words for all of it.
        phrases: words for each source.
        labels: of each source; empty where there are words only.
        sources: (sources, samples); None if nobody recorded them alone.
    """

    wave: Wave
    caption: str
    phrases: tuple[str, ...]
    labels: tuple[str, ...]
    sources: Wave | None


@dataclass(frozen=True)
class Example:
    """Parts of a mixture.

    Attributes:
        parts: no two of them alike.
        known: whether the sources may be learnt from, where they were recorded alone.
        subjects: what is heard.
    """

    parts: tuple[SourceMixture, ...]
    known: bool
    subjects: tuple[Subject, ...]

    @property
    def wave(self) -> Wave:
        """(samples,), the sum of the parts."""
        return total(part.wave for part in self.parts)


def mix(
    pantry: Pantry, mixing: MixingConfig, samples: int, rng: random.Random, known: bool = True
) -> Example:
    """A training mixture of that many samples."""
    drawn = draw(pantry, mixing, rng)
    stacks = [
        np.stack([pantry.cut(clip, samples, mixing.speeds, rng) for clip in part]) for part in drawn
    ]
    set_levels(stacks, mixing, rng)
    if rng.random() < mixing.lowpassed:
        cutoff = rng.uniform(*CUTOFFS)
        stacks = [lowpass(stack, cutoff, pantry.sounds.rate) for stack in stacks]
    said = [
        part_of(clips, stack, pantry.ontology, max(mixing.sources), rng)
        for clips, stack in zip(drawn, stacks, strict=True)
    ]
    return Example(tuple(said), known, tuple(subjects(drawn)))


def set_levels(stacks: list[Wave], mixing: MixingConfig, rng: random.Random) -> None:
    """Random gains, in place: of the mixture, and of all sources but the first against it."""
    level = rng.uniform(*mixing.level_db)
    for place, stack in enumerate(stacks):
        for row, wave in enumerate(stack):
            against = rng.gauss(0, mixing.gain_db) if place or row else 0.0
            wave *= gain(level + against)


def part_of(
    clips: list[Clip], stack: Wave, ontology: Ontology, most: int, rng: random.Random
) -> SourceMixture:
    """What is heard and said of the clips of a part.

    Args:
        clips: single sounds, or one recording.
        stack: (clips, samples).
        ontology: knows what labels are called.
        most: phrases that a part may have.
        rng: chooses the words.
    """
    if is_single(clips[0]):
        return mixed_part(tuple(clip.label for clip in clips), stack, ontology, rng)
    return recorded_part(clips[0], stack, ontology, most, rng)


def mixed_part(
    labels: tuple[str, ...], stack: Wave, ontology: Ontology, rng: random.Random
) -> SourceMixture:
    """Of single sounds, (sources, samples)."""
    phrases = tuple(ontology.say(label, rng) for label in labels)
    names = joined([rng.choice(ontology.names(label)) for label in labels])
    caption = rng.choice(TEMPLATES).format(names) if len(labels) > 1 else phrases[0]
    return SourceMixture(total(stack), caption, phrases, labels, stack)


def recorded_part(
    clip: Clip, stack: Wave, ontology: Ontology, most: int, rng: random.Random
) -> SourceMixture:
    """Of a recording, (1, samples), whose sources nobody knows unless there is only one.

    Phrases that are too many are joined, for all of them together must say what is heard.
    """
    named = tuple(ontology.say(label, rng) for label in clip.labels)
    every = clip.phrases or ((clip.caption,) if clip.caption else named)
    phrases = at_most(every, most)
    labels = clip.labels if phrases == named else ()
    sources = stack if len(every) == 1 else None
    return SourceMixture(total(stack), clip.caption or joined(every), phrases, labels, sources)


def total(waves: Iterable[Wave]) -> Wave:
    """The sum of waveforms (samples,), added one after another."""
    first, *others = waves
    out = first.copy()
    for wave in others:
        out += wave
    return out
