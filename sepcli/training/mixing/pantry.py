"""What there is to mix: single sounds by label, and captioned recordings."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sepcli.audio.reader import probe
from sepcli.training.config import MixingConfig
from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.sounds import Sounds
from sepcli.training.mixing.augment import fill
from sepcli.training.mixing.kinship import Kinship, Subject, subject
from sepcli.training.mixing.level import Wave, at_level
from sepcli.training.ontology import ANYTHING, Ontology

USUAL = MixingConfig()
LONGEST = 120.0  # seconds of a label that count for how often it is drawn
TRIES = 32  # recordings drawn at random before all are looked at


class Pantry:
    """Single sounds by label and captioned recordings, to be drawn from.

    A label's chance grows with the square root of its sounds' duration.

    Args:
        clips: what there is to draw from.
        sounds: what they sound like.
        ontology: which labels are alike, and what they are called.
        emphasis: factors on the chance of some labels.

    Attributes:
        singles: label -> clips of that sound alone.
        recordings: clips with a caption, or with several labels.
        labels: of single sounds.
        asked: those of them that can be asked for.
    """

    def __init__(
        self,
        clips: Iterable[Clip],
        sounds: Sounds,
        ontology: Ontology,
        emphasis: Mapping[str, float] | None = None,
    ) -> None:
        self.clips = tuple(clips)
        self.sounds, self.ontology = sounds, ontology
        self.emphasis = dict(emphasis or {})
        self.recordings = [clip for clip in self.clips if not is_single(clip)]
        self.singles = by_label(clip for clip in self.clips if is_single(clip))
        self.labels = list(self.singles)
        self.asked = [x for x in self.labels if ontology.group(x) != ANYTHING]
        self.backgrounds = [x for x in self.labels if ontology.group(x) == ANYTHING]
        self.kinship = Kinship(ontology, {x for clip in self.clips for x in clip.labels})
        self._senses: dict[str, str] = {}
        self._chance = {x: self._chance_of(x) for x in self.labels}

    def _chance_of(self, label: str) -> float:
        duration = sum(seconds(clip) for clip in self.singles[label])
        return self.emphasis.get(label, 1.0) * math.sqrt(min(LONGEST, duration))

    def among(self, clips: Iterable[Clip]) -> Pantry:
        """A pantry with some of the clips."""
        return Pantry(clips, self.sounds, self.ontology, self.emphasis)

    def label(self, rng: random.Random, unlike: Sequence[str] = ()) -> str:
        """A random label that can be asked for, unlike the given ones."""
        return self.chosen(self.unlike(unlike), rng)

    def unlike(self, labels: Sequence[str]) -> list[str]:
        """All labels that can be asked for and are unlike the given ones."""
        return self.kinship.unlike(self.asked, [Subject(frozenset(labels))])

    def chosen(self, labels: Sequence[str], rng: random.Random) -> str:
        """One of some labels, by their chances."""
        return rng.choices(labels, [self._chance[x] for x in labels])[0]

    def companion(
        self, rng: random.Random, unlike: Sequence[str], backgrounds: float = USUAL.backgrounds
    ) -> str:
        """A label to mix with others: unlike them, or a background that may hold anything."""
        if self.backgrounds and rng.random() < backgrounds:
            return rng.choice(self.backgrounds)
        return self.label(rng, unlike)

    def sense(self, label: str) -> str:
        """One label for all that people use one phrase for, as they do for kinds of speech."""
        if label not in self._senses:
            names = set(self.ontology.names(label))
            shared = (x for x, said in self.ontology.phrases.items() if not names.isdisjoint(said))
            self._senses[label] = min(shared, default=label)
        return self._senses[label]

    def recording(self, rng: random.Random, heard: Sequence[Subject]) -> Clip | None:
        """A random recording that is no kin to what is heard; None if there is none."""
        for clip in rng.choices(self.recordings, k=TRIES) if self.recordings else ():
            if self._may_join(clip, heard):
                return clip
        rest = [clip for clip in self.recordings if self._may_join(clip, heard)]
        return rng.choice(rest) if rest else None

    def _may_join(self, clip: Clip, heard: Sequence[Subject]) -> bool:
        about = subject(clip)
        return not any(self.kinship.related(about, other) for other in heard)

    def window(self, label: str, samples: int, rng: random.Random) -> Wave:
        """(samples,) of a random sound of the label, at LEVEL over its active samples."""
        return self.cut(rng.choice(self.singles[label]), samples, USUAL.speeds, rng)

    def cut(
        self, clip: Clip, samples: int, speeds: tuple[float, float], rng: random.Random
    ) -> Wave:
        """(samples,) of a clip, at LEVEL over its active samples."""
        return at_level(fill(self.sounds[clip], samples, speeds, rng))


def is_single(clip: Clip) -> bool:
    """Whether a clip is one sound alone, as far as its labels say."""
    return len(clip.labels) == 1 and not clip.caption and not clip.phrases


def by_label(clips: Iterable[Clip]) -> dict[str, list[Clip]]:
    """Clips by their label, labels in order."""
    table: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        table[clip.label].append(clip)
    return dict(sorted(table.items()))


def seconds(clip: Clip) -> float:
    """A clip's duration, from its file where nobody has said it."""
    if clip.duration is not None:
        return clip.duration
    return max(0.0, probe(clip.path, clip.stream).seconds - clip.start)
