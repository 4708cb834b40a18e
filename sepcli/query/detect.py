"""Which sounds are heard, and when: windows of a recording beside the names of sounds.

Zero-shot: a name is heard in a window if the cosine of its text embedding with the window's audio
embedding reaches a threshold. Names that mean nearly the same reach it together ("Dog", "Bark"), so
the best one stands for those whose texts are alike. The threshold was chosen on validation clips by
benchmarks/detect.py; the window on the same clips, by average precision among 1, 2, 3, 5 and 10 s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sepcli.audio.windows import Layout, Wave, cut
from sepcli.errors import UsageError
from sepcli.query.encoder import QueryEncoder

WINDOW_SECONDS = 2.0
HOP_SECONDS = 1.0
SILENCE_DB = -60.0  # RMS of a window, re full scale, below which nothing is heard
THRESHOLD = 0.46  # cosine
ALIKE = 0.6  # cosine of two names from which they may mean one sound

Span = tuple[float, float]  # start and end, seconds
Ear = Callable[[NDArray[np.float32], int], Tensor]  # see `QueryEncoder.embed_audio`


@dataclass(frozen=True)
class Sound:
    """A sound that is heard.

    Attributes:
        label: the name that fits best.
        score: highest cosine of any window.
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


class Detector:
    """Knows the names to listen for.

    Args:
        labels: names of sounds, at least one, each once.
        texts: (labels, dimension) of length 1.
        ear: what hears, in the same space.
        threshold: least cosine.

    Raises:
        UsageError: if the encoder's texts and sounds are not comparable.
    """

    def __init__(self, labels: Sequence[str], texts: Tensor, ear: Ear, threshold: float) -> None:
        self.labels, self.threshold = tuple(labels), threshold
        self._texts, self._ear = texts, ear

    def listen(self, blocks: Iterable[Wave], rate: int, start: float = 0.0) -> list[Sound]:
        """The sounds in a recording, the surest first.

        Memory depends on the window, and on how often sounds come and go.

        Args:
            blocks: (samples, channels) at `rate` Hz, a multiple of 100.
            rate: Hz.
            start: seconds at which the first block begins.
        """
        window, hop = round(WINDOW_SECONDS * rate), round(HOP_SECONDS * rate)
        best = np.full(len(self.labels), -np.inf)
        spans: dict[int, list[Span]] = {}
        for part in cut(blocks, Layout(window, 0, window - hop)):
            if not is_audible(part.wave):
                continue
            cosines = self.cosines(part.wave, rate)
            best = np.maximum(best, cosines)
            span = tuple(start + at / rate for at in (part.start, part.start + len(part.wave)))
            for index in np.flatnonzero(cosines >= self.threshold).tolist():
                extend(spans.setdefault(index, []), (span[0], span[1]))
        return self._sounds(best, spans)

    def cosines(self, wave: Wave, rate: int) -> NDArray[np.float64]:
        """Of a window (samples, channels) with every label, (labels,)."""
        heard = self._ear(wave, rate)
        if heard.shape != self._texts.shape[1:]:
            message = "this model cannot compare sounds with names"
            raise UsageError(message, "choose another --model")
        cosines: NDArray[np.float64] = (self._texts @ heard).double().numpy()
        return cosines

    def _sounds(self, best: NDArray[np.float64], spans: dict[int, list[Span]]) -> list[Sound]:
        """Every name with those that are alike and less sure."""
        left = sorted(spans, key=lambda index: (-best[index], index))
        sounds = []
        while left:
            head = left[0]
            alike = (self._texts[left] @ self._texts[head]) >= ALIKE
            group = [n for n, near in zip(left, alike.tolist(), strict=True) if near or n == head]
            left = [n for n in left if n not in group]
            times = merged(span for n in group for span in spans[n])
            also = tuple(self.labels[n] for n in group[1:])
            sounds.append(Sound(self.labels[head], float(best[head]), times, also))
        return sounds


def detector(
    labels: Sequence[str], reader: QueryEncoder, ear: QueryEncoder, threshold: float = THRESHOLD
) -> Detector:
    """Of two encoders of one kind: one whose texts are kept, and one whose sounds are not."""
    with torch.inference_mode():
        return Detector(labels, reader.embed_texts(list(labels)), ear.embed_audio, threshold)


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
