"""Which clips form an example: N parts of P single sounds, or of one captioned recording each."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sepcli.errors import UsageError
from sepcli.training.config import MixingConfig
from sepcli.training.corpora.clip import Clip
from sepcli.training.mixing.kinship import Subject, subject
from sepcli.training.mixing.pantry import Pantry, is_single

REMEDY = "add clips of other kinds of sound"


def draw(pantry: Pantry, mixing: MixingConfig, rng: random.Random) -> list[list[Clip]]:
    """The clips of every part; none is kin to another, in whichever part.

    Every part gets its first clip before any gets a second, so that none goes without. Where
    nothing unlike is left, parts have fewer clips than they should.

    Raises:
        UsageError: if there are fewer kinds of sound than parts.
    """
    parts: list[list[Clip]] = []
    for _ in range(mixing.parts):
        parts.append([first_clip(pantry, mixing, subjects(parts), rng)])
    for part in parts:
        count = rng.choices(list(mixing.sources), list(mixing.sources.values()))[0]
        while len(part) < count and is_single(part[0]):
            clip = further_clip(pantry, mixing, subjects(parts), rng)
            if clip is None:
                break
            part.append(clip)
    return parts


def subjects(parts: Sequence[Sequence[Clip]]) -> list[Subject]:
    """What the clips of all parts are about."""
    return [subject(clip) for part in parts for clip in part]


def first_clip(
    pantry: Pantry, mixing: MixingConfig, heard: Sequence[Subject], rng: random.Random
) -> Clip:
    """A single sound or a recording, unlike what is heard; never a background."""
    captioned = not pantry.asked or rng.random() < mixing.captioned
    if captioned and (recording := pantry.recording(rng, heard)) is not None:
        return recording
    labels = pantry.kinship.unlike(pantry.asked, heard)
    if not labels:
        message = f"a mixture of {mixing.parts} parts needs as many unlike kinds of sound"
        raise UsageError(f"{message}; the corpora have {len(heard)}", REMEDY)
    return rng.choice(pantry.singles[pantry.chosen(labels, rng)])


def further_clip(
    pantry: Pantry, mixing: MixingConfig, heard: Sequence[Subject], rng: random.Random
) -> Clip | None:
    """A single sound unlike what is heard, or a background; None if there is none."""
    behind = pantry.kinship.unlike(pantry.backgrounds, heard)
    if behind and rng.random() < mixing.backgrounds:
        return rng.choice(pantry.singles[rng.choice(behind)])
    labels = pantry.kinship.unlike(pantry.asked, heard)
    return rng.choice(pantry.singles[pantry.chosen(labels, rng)]) if labels else None
