"""Which sounds are heard, and when: windows of a recording beside the names of sounds.

Zero-shot: windows of 2 s are compared with names in the space of the encoder, which hears one sound
far better than two. So the separator is asked about the likeliest names, and says how sure it is
that it could take them out of the 10 s around:

    score = cosine(window, name) + WEIGHT (presence - UNSURE)

A model that does not say is taken to be unsure. A name is heard in a window if its score reaches a
threshold. Names that mean nearly the same reach it together ("Dog", "Bark"), so the best one stands
for those whose texts are alike, and the separator is asked about it alone.

The weight and the threshold were chosen on validation clips by benchmarks/detect.py, the window by
average precision of the cosine among 1, 2, 3, 5 and 10 s on the same clips.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sepcli.audio.windows import Layout, Wave, cut
from sepcli.errors import UsageError

WINDOW_SECONDS = 2.0
HOP_SECONDS = 1.0
STRETCH_SECONDS = 10.0  # of audio that the separator is asked about
SILENCE_DB = -60.0  # RMS of a window, re full scale, below which nothing is heard
THRESHOLD = 0.48  # score
WEIGHT = 0.2  # of presence beside the cosine
UNSURE = 0.4  # presence that changes nothing
SHORTLIST = 12  # sounds that the separator is asked about
NEAREST = 3  # names to tell where none reaches the threshold
ALIKE = 0.6  # cosine of two names from which they may mean one sound

Span = tuple[float, float]  # start and end, seconds
Ear = Callable[[NDArray[np.float32], int], Tensor]  # see `QueryEncoder.embed_audio`
Scores = NDArray[np.float64]  # (labels,)
# Of a part (samples, channels) at a rate and queries (queries, dimension): how sure a separator is
# that each is there, (queries,); None if it does not say.
Presence = Callable[[Wave, int, Tensor], NDArray[np.float32] | None]


def no_presence(wave: Wave, rate: int, queries: Tensor) -> None:
    """Of a separator that does not say."""


@dataclass(frozen=True)
class Sound:
    """A sound that is heard.

    Attributes:
        label: the name that fits best.
        score: highest of any window.
        spans: when it is heard, to about a second, in their order.
        also: names that are alike and heard as well, the best first.
    """

    label: str
    score: float
    spans: tuple[Span, ...]
    also: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it is heard altogether."""
        return sum(end - start for start, end in self.spans)


@dataclass(frozen=True)
class Findings:
    """What a search found.

    Attributes:
        sounds: those that are heard, the surest first.
        nearest: where there are none, the names that came nearest, with their scores.
    """

    sounds: tuple[Sound, ...]
    nearest: tuple[tuple[str, float], ...] = ()


class Detector:
    """Knows the names to listen for.

    Args:
        labels: names of sounds, at least one, each once.
        texts: (labels, dimension) of length 1.
        ear: what hears, in the same space.
        threshold: least score.
        presence: of sounds, as a separator judges it.

    Raises:
        UsageError: if the encoder's texts and sounds are not comparable.
    """

    def __init__(
        self,
        labels: Sequence[str],
        texts: Tensor,
        ear: Ear,
        threshold: float,
        presence: Presence = no_presence,
    ) -> None:
        self.labels, self.threshold = tuple(labels), threshold
        self._texts, self._ear, self._presence = texts, ear, presence

    def listen(self, blocks: Iterable[Wave], rate: int, start: float = 0.0) -> Findings:
        """The sounds in a recording.

        Memory depends on the stretch, and on how often sounds come and go.

        Args:
            blocks: (samples, channels) at `rate` Hz, a multiple of 100.
            rate: Hz.
            start: seconds at which the first block begins.
        """
        best = np.full(len(self.labels), -np.inf)
        spans: dict[int, list[Span]] = {}
        # Stretches overlap by what windows do, so that none is missed between two of them.
        for stretch in cut(blocks, layout(STRETCH_SECONDS, rate)):
            begins = start + stretch.start / rate
            for (first, last), scores in self.scores(stretch.wave, rate):
                best = np.maximum(best, scores)
                for index in np.flatnonzero(scores >= self.threshold).tolist():
                    extend(spans.setdefault(index, []), (begins + first, begins + last))
        sounds = self._sounds(best, spans)
        return Findings(sounds, () if sounds else self._nearest(best))

    def scores(self, wave: Wave, rate: int) -> list[tuple[Span, Scores]]:
        """Of the audible windows of a stretch (samples, channels), with their times in it."""
        windows = [
            (
                (part.start / rate, (part.start + len(part.wave)) / rate),
                self.cosines(part.wave, rate),
            )
            for part in cut([wave], layout(WINDOW_SECONDS, rate))
            if is_audible(part.wave)
        ]
        if not windows:
            return []
        sureness = self._sureness(wave, rate, np.max([cosines for _, cosines in windows], axis=0))
        return [(span, cosines + WEIGHT * (sureness - UNSURE)) for span, cosines in windows]

    def cosines(self, wave: Wave, rate: int) -> Scores:
        """Of a window (samples, channels) with every label, (labels,)."""
        heard = self._ear(wave, rate)
        if heard.shape != self._texts.shape[1:]:
            message = "this model cannot compare sounds with names"
            raise UsageError(message, "choose another --model")
        cosines: Scores = (self._texts @ heard).double().numpy()
        return cosines

    def _sureness(self, wave: Wave, rate: int, best: Scores) -> Scores:
        """The separator's presence of the likeliest sounds of a stretch, for all of their names."""
        sureness = np.full(len(self.labels), UNSURE)
        least = self.threshold - WEIGHT * (1 - UNSURE)  # with more, presence could still decide
        likely = [index for index in ranked(best) if best[index] >= least]
        groups = list(itertools.islice(self._groups(likely), SHORTLIST))
        if groups:
            judged = self._presence(wave, rate, self._texts[[group[0] for group in groups]])
            for group, presence in zip(groups, [] if judged is None else judged, strict=False):
                sureness[group] = presence
        return sureness

    def _groups(self, indices: Sequence[int]) -> Iterator[list[int]]:
        """Labels, each with those after it that are alike."""
        left = list(indices)
        while left:
            near = ((self._texts[left] @ self._texts[left[0]]) >= ALIKE).tolist()
            near[0] = True
            yield [index for index, alike in zip(left, near, strict=True) if alike]
            left = [index for index, alike in zip(left, near, strict=True) if not alike]

    def _nearest(self, best: Scores) -> tuple[tuple[str, float], ...]:
        """The likeliest names of a recording, of those that are alike the best; none of silence."""
        audible = [index for index in ranked(best) if np.isfinite(best[index])]
        groups = itertools.islice(self._groups(audible), NEAREST)
        return tuple((self.labels[group[0]], float(best[group[0]])) for group in groups)

    def _sounds(self, best: Scores, spans: dict[int, list[Span]]) -> tuple[Sound, ...]:
        """Every name with those that are alike and less sure."""
        heard = [index for index in ranked(best) if index in spans]
        return tuple(
            Sound(
                self.labels[group[0]],
                float(best[group[0]]),
                merged(span for index in group for span in spans[index]),
                tuple(self.labels[index] for index in group[1:]),
            )
            for group in self._groups(heard)
        )


def layout(seconds: float, rate: int) -> Layout:
    """Windows that overlap as much as those that are compared with names."""
    overlap = round((WINDOW_SECONDS - HOP_SECONDS) * rate)
    return Layout(round(seconds * rate), 0, overlap)


def ranked(scores: Scores) -> list[int]:
    """Indices, the highest score first."""
    order: list[int] = np.argsort(-scores, kind="stable").tolist()
    return order


def is_audible(wave: Wave) -> bool:
    """Whether a window is above silence."""
    return float(np.square(wave, dtype=np.float64).mean()) > 10 ** (SILENCE_DB / 10)


def extend(spans: list[Span], new: Span) -> None:
    """Add a span that begins no earlier than the last one, to which it is joined if they touch."""
    if spans and new[0] <= spans[-1][1]:
        spans[-1] = (spans[-1][0], max(spans[-1][1], new[1]))
    else:
        spans.append(new)


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in their order, those that touch as one."""
    joined: list[Span] = []
    for span in sorted(spans):
        extend(joined, span)
    return tuple(joined)
