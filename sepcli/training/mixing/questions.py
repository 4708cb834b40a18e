"""What is asked about an example, and the right answers."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from sepcli.training.mixing.batch import Asking, Role
from sepcli.training.mixing.example import Example
from sepcli.training.mixing.level import Wave
from sepcli.training.mixing.pantry import Pantry
from sepcli.training.mixing.wording import meaning
from sepcli.training.ontology import ANYTHING


@dataclass(frozen=True)
class Question:
    """See `Batch`, whose rows these are.

    Attributes:
        role: what it is about.
        text: how it is asked.
        label: of what is asked for; empty where there are words only.
        part: that it is about, or -1.
        answer: (samples,); None for silence.
        known: whether the answer may be learnt from.
        meaning: of a phrase, or -1.
    """

    role: Role
    text: str = ""
    label: str = ""
    part: int = -1
    answer: Wave | None = None
    known: bool = False
    meaning: int = -1


PADDING = Question(Role.PADDING, "nothing")


class Questioner:
    """Asks what an objective needs.

    Args:
        pantry: knows what may be absent, and what labels mean.
        asking: how much is asked.
        parts: of every mixture.
        phrases: that are asked of a part, padding included.
    """

    def __init__(self, pantry: Pantry, asking: Asking, parts: int, phrases: int) -> None:
        self.pantry, self.asking = pantry, asking
        self.parts, self.phrases = parts, phrases

    def ask(self, example: Example, rng: random.Random) -> list[Question]:
        """As many questions for every example, in the same order of roles."""
        if self.asking.sampled:
            return self.sampled(example, rng)
        out: list[Question] = []
        if self.asking.captions:
            out += captions(example)
        if self.asking.phrases:
            for part in range(self.parts):
                asked = self.about(example, part)
                out += asked + [PADDING] * (self.phrases - len(asked))
        absent = (self.absent(example, rng) for _ in range(self.asking.absent))
        return out + [PADDING if question is None else question for question in absent]

    def about(self, example: Example, part: int) -> list[Question]:
        """A question for every source of a part that can be asked for."""
        mixed = example.parts[part]
        labels = mixed.labels or ("",) * len(mixed.phrases)
        sources = mixed.sources if example.known else None
        known = sources is not None
        answers = [None] * len(labels) if sources is None else list(sources)
        return [
            Question(Role.PHRASE, text, label, part, answer, known, self.meaning(text, label))
            for text, label, answer in zip(mixed.phrases, labels, answers, strict=True)
            if not self.is_background(label)
        ]

    def meaning(self, text: str, label: str) -> int:
        """A number for what is asked for: for its label, where it has one."""
        return meaning(self.pantry.sense(label) if label else text)

    def is_background(self, label: str) -> bool:
        """Whether what a label names cannot be asked for."""
        return bool(label) and self.pantry.ontology.group(label) == ANYTHING

    def absent(self, example: Example, rng: random.Random) -> Question | None:
        """A question about what is not there; None if that cannot be told."""
        heard = example.subjects
        if any(self.is_background(label) for other in heard for label in other.labels):
            return None
        if labels := self.pantry.kinship.unlike(self.pantry.asked, heard):
            label = self.pantry.chosen(labels, rng)
            text = self.pantry.ontology.say(label, rng)
            return Question(Role.ABSENT, text, label, known=True)
        recording = self.pantry.recording(rng, heard)
        if recording is None:
            return None
        text = rng.choice(recording.phrases or (recording.caption,))
        return Question(Role.ABSENT, text, known=True)

    def sampled(self, example: Example, rng: random.Random) -> list[Question]:
        """Different ones as far as there are; the first is always about what is there.

        A part whose sources are not known is asked for as a whole.
        """
        there = self.there(example)
        rng.shuffle(there)
        count = self.asking.sampled
        # The first question is never an absent one, so the others are more often.
        share = self.asking.absent_share * count / max(1, count - 1)
        out: list[Question] = []
        for index in range(count):
            absent = None
            if index and (index >= len(there) or rng.random() < share):
                absent = self.absent(example, rng)
            out.append(there[index % len(there)] if absent is None else absent)
        return out

    def there(self, example: Example) -> list[Question]:
        """All that can be asked for and answered."""
        whole = captions(example)
        out: list[Question] = []
        for part, caption in enumerate(whole):
            asked = self.about(example, part)
            answered = asked and all(question.known for question in asked)
            out += asked if answered else [caption]
        return out


def captions(example: Example) -> list[Question]:
    """A question for every part."""
    return [
        Question(Role.CAPTION, mixed.caption, part=part, answer=mixed.wave, known=True)
        for part, mixed in enumerate(example.parts)
    ]


def weights(parts: list[int], meanings: list[int]) -> list[float]:
    """1 / how often a phrase is asked about its part; 0 for what is no phrase."""
    often = Counter(zip(parts, meanings, strict=True))
    return [
        0.0 if sense < 0 else 1 / often[part, sense]
        for part, sense in zip(parts, meanings, strict=True)
    ]
