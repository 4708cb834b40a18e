"""Clips summed as BiModalAudioSeparation (Mahmud et al., ICLR 2024) sums them for its tests.

16 kHz mono, 131,070 samples around a clip's centre, clipped to [-1, 1], each divided by the number
of clips; these are the references, and the mixture is their sum. Which clips meet is in a list of
compositions where the user made one with the authors' scripts; else it is drawn with a seed.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from sepcli.errors import UsageError
from sepcli.evaluation.datasets.base import Example, Fact
from sepcli.evaluation.datasets.mixed import MixedItem
from sepcli.evaluation.datasets.sound import Sound, Track, read_sound
from sepcli.evaluation.datasets.tables import read_rows
from sepcli.evaluation.scene import Array

RATE = 16_000  # Hz
HALF = 65_535  # samples before and after the centre
SEED = 20_240_404
SPLITS = {"test-2": 2, "test-3": 3, "test-4": 4}  # sources in a mixture
LICENCE = "audio of YouTube"
HOW_TO_GET = (
    "its list of YouTube videos; the scripts of github.com/microsoft/BiModalAudioSeparation "
    "cut and list them"
)


@dataclass(frozen=True)
class Clip:
    """A clip that may be mixed.

    Attributes:
        path: of the file.
        query: words for all that is heard in it.
        label: its class, if it has one; clips of one class never meet.
        centre: of the part that is used, in seconds; None for the clip's middle.
        repeated: whether a clip that is too short is repeated, or else stands between silence.
    """

    path: Path
    query: str
    label: str
    centre: float | None = None
    repeated: bool = True


def listed(clips: Mapping[str, Clip], listing: Path, count: int, rounds: int) -> list[MixedItem]:
    """Mixtures of labelled clips.

    Args:
        clips: name, as the list of compositions says it -> clip.
        listing: CSV with the clips of a composition in each row; if missing, they are drawn.
        count: how many clips meet, if they are drawn.
        rounds: how often every clip comes first, if they are drawn.

    Raises:
        UsageError: if a composition has an unknown clip, or too few classes are there to draw from.
    """
    if listing.is_file():
        rows = [[clip_of(name, clips, listing) for name in row] for row in read_rows(listing)]
    else:
        rows = draw(list(clips.values()), count, rounds)
    return [composed(number, row) for number, row in enumerate(rows)]


def clip_of(name: str, clips: Mapping[str, Clip], listing: Path) -> Clip:
    """A clip by the name that a list of compositions gives it."""
    if name.strip() not in clips:
        message = f"{listing} names {name.strip()}, which the list of clips does not have"
        raise UsageError(message, "make both lists again")
    return clips[name.strip()]


def composed(number: int, clips: Sequence[Clip]) -> MixedItem:
    """An item whose stems s1, s2, ... are the clips."""
    stems = tuple(f"s{place}" for place in range(1, len(clips) + 1))
    facts: dict[str, Fact] = {"sources": float(len(clips))}
    for stem, clip in zip(stems, clips, strict=True):
        if clip.label:
            facts[f"class:{stem}"] = clip.label
        if clip.centre is not None:
            facts[f"centre:{stem}"] = clip.centre
    return MixedItem(
        f"{number:05}",
        stems,
        tuple(dict.fromkeys(clip.path for clip in clips)),
        partial(mix, tuple(clips)),
        facts,
        {stem: clip.query for stem, clip in zip(stems, clips, strict=True)},
    )


def mix(clips: tuple[Clip, ...]) -> Example:
    """The sum of clips, each divided by their number.

    Raises:
        ItemError: if a clip is missing or broken.
    """
    sources = [excerpt(read_sound(Track(clip.path)), clip)[None] / len(clips) for clip in clips]
    references = {f"s{place}": source for place, source in enumerate(sources, 1)}
    return Example(RATE, np.sum(sources, axis=0), references)


def excerpt(sound: Sound, clip: Clip) -> Array:
    """(2 HALF,) samples around a clip's centre, silent where the clip has none."""
    wave = sound.mono(RATE)
    if clip.repeated and len(wave) < 2 * HALF:
        wave = np.tile(wave, 2 * HALF // len(wave) + 1)
    centre = len(wave) // 2 if clip.centre is None else int(clip.centre * RATE)
    if centre > len(wave):
        centre = len(wave) // 2
    start, end = max(0, centre - HALF), min(len(wave), centre + HALF)
    out = np.zeros(2 * HALF)
    out[HALF - (centre - start) : HALF + (end - centre)] = wave[start:end]
    return np.clip(out, -1, 1)


def draw(clips: Sequence[Clip], count: int, rounds: int) -> list[list[Clip]]:
    """Every clip in turn, `rounds` times, with `count` - 1 random ones of other classes.

    Raises:
        UsageError: if there are fewer than `count` classes.
    """
    classes = len({clip.label for clip in clips})
    if classes < count:
        message = f"{count} clips of different classes are to be mixed, but {classes} are listed"
        raise UsageError(message, "get the list again, or evaluate mixtures of fewer sources")
    rng = random.Random(SEED)
    return [companions(clip, clips, count, rng) for _ in range(rounds) for clip in clips]


def companions(first: Clip, clips: Sequence[Clip], count: int, rng: random.Random) -> list[Clip]:
    """`count` clips of different classes, beginning with `first`."""
    heard = [first]
    while len(heard) < count:
        other = rng.choice(clips)
        if all(other.label != clip.label for clip in heard):
            heard.append(other)
    return heard
