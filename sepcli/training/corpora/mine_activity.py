"""Where something sounds in a long recording: frames that stand above its noise floor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sepcli.errors import UsageError

Wave = NDArray[np.float32]  # (samples, channels)

FRAME_SECONDS = 0.02
FLOOR_PERCENTILE = 10  # of a recording's levels: its noise floor
LOUD_PERCENTILE = 95  # ... and what is loud in it
QUIETEST_DB = -100.0  # level of digital silence, re full scale
SILENCE_DB = -60.0  # nothing below this level is active
WIDENED_SECONDS = 0.04  # at both ends, for onsets and decays below the threshold


@dataclass(frozen=True)
class Activity:
    """What counts as one event.

    Attributes:
        above_floor_db: how far it stands out.
        gap_seconds: shorter pauses belong to it.
        min_seconds: shorter ones are left out.
        max_seconds: longer ones are cut into equal pieces, so it is at least twice the shortest.
    """

    above_floor_db: float = 10.0
    gap_seconds: float = 0.25
    min_seconds: float = 0.5
    max_seconds: float = 5.0

    def __post_init__(self) -> None:
        if self.max_seconds < 2 * self.min_seconds:
            message = f"segments of {self.min_seconds:g} to {self.max_seconds:g} s"
            remedy = "an event that is cut gives halves: allow twice the shortest segment"
            raise UsageError(message, remedy)


@dataclass(frozen=True)
class Span:
    """A part of a recording, in seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


def frame_levels(blocks: Iterable[Wave], rate: int) -> NDArray[np.float32]:
    """Level of every 20 ms, dB re full scale, all channels together; a last short frame counts too.

    This is all that is kept of a recording: 0.7 MB an hour.
    """
    length = max(1, round(FRAME_SECONDS * rate))
    powers: list[NDArray[np.float64]] = []
    rest = np.zeros(0)
    for block in blocks:
        power = np.concatenate([rest, np.square(block, dtype=np.float64).mean(axis=1)])
        whole = len(power) // length * length
        powers.append(power[:whole].reshape(-1, length).mean(axis=1))
        rest = power[whole:]
    if len(rest):
        powers.append(rest.mean(keepdims=True))
    joined = np.concatenate(powers) if powers else np.zeros(0)
    levels = 10 * np.log10(np.maximum(joined, 10 ** (QUIETEST_DB / 10)))
    return levels.astype(np.float32)


def threshold_db(levels: NDArray[np.float32], above_floor_db: float) -> float:
    """The level from which a frame is active.

    A recording in which nothing stands out so far from its quietest parts has no pauses to take a
    floor from: it is active throughout, unless it is silent.
    """
    floor, loud = np.percentile(levels, [FLOOR_PERCENTILE, LOUD_PERCENTILE])
    above = floor + above_floor_db if loud - floor >= above_floor_db else QUIETEST_DB
    return max(SILENCE_DB, float(above))


def active_spans(levels: NDArray[np.float32], rule: Activity) -> list[Span]:
    """The events of a recording, in their order, none overlapping.

    Args:
        levels: of `frame_levels`.
        rule: what an event is.
    """
    if not len(levels):
        return []
    runs = runs_of(levels > threshold_db(levels, rule.above_floor_db))
    end = len(levels) * FRAME_SECONDS
    wide = [
        Span(max(0.0, span.start - WIDENED_SECONDS), min(end, span.end + WIDENED_SECONDS))
        for span in merged(runs, rule.gap_seconds)
        if span.seconds >= rule.min_seconds
    ]
    return [piece for span in wide for piece in pieces(span, rule.max_seconds)]


def runs_of(active: NDArray[np.bool_]) -> list[Span]:
    """Successive active frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]])))
    return [Span(a * FRAME_SECONDS, b * FRAME_SECONDS) for a, b in edges.reshape(-1, 2).tolist()]


def merged(spans: Sequence[Span], gap_seconds: float) -> list[Span]:
    """Spans, those with a short pause between them as one."""
    if not spans:
        return []
    breaks = [n for n, (a, b) in enumerate(pairwise(spans), 1) if b.start - a.end > gap_seconds]
    bounds = [0, *breaks, len(spans)]
    return [Span(spans[a].start, spans[b - 1].end) for a, b in pairwise(bounds)]


def pieces(span: Span, longest: float) -> list[Span]:
    """A span in as few equal pieces as are no longer than so many seconds."""
    count = max(1, int(np.ceil(round(span.seconds / longest, 6))))
    edges = np.linspace(span.start, span.end, count + 1).tolist()
    return [Span(a, b) for a, b in pairwise(edges)]


def cut_out(
    blocks: Iterable[Wave], spans: Sequence[Span], rate: int
) -> Iterator[tuple[Span, Wave]]:
    """The samples of spans, of a stream that is read once; no more than a span is ever held.

    Args:
        blocks: (samples, channels) at `rate` Hz.
        spans: in their order, none overlapping; those past the end of the stream are left out.
        rate: Hz.
    """
    bounds = [(span, round(span.start * rate), round(span.end * rate)) for span in spans]
    held, at = None, 0  # samples, and the index of the first of them in the stream
    for block in blocks:
        held = block if held is None else np.concatenate([held, block])
        while bounds and bounds[0][2] <= at + len(held):
            span, first, last = bounds.pop(0)
            yield span, held[first - at : last - at]
        if not bounds:
            return
        drop = min(len(held), max(0, bounds[0][1] - at))
        held, at = held[drop:], at + drop
    for span, first, _ in bounds[:1]:
        if held is not None and len(held[first - at :]):
            yield span, held[first - at :]
