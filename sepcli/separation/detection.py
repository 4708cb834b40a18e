"""Recordings listened to, one after another: what is in them, before anything is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sepcli.audio.reader import blocks, probe
from sepcli.audio.resample import resampled
from sepcli.errors import ItemError
from sepcli.query.detect import Detector, Sound, detector
from sepcli.registry.load import load_encoder
from sepcli.registry.store import Model
from sepcli.separation.examples import heard_rate
from sepcli.separation.inputs import Source


@dataclass(frozen=True)
class Heard:
    """What is in a recording, the surest first."""

    path: Path
    sounds: tuple[Sound, ...]


@dataclass(frozen=True)
class Unheard:
    """A recording that could not be read."""

    path: Path
    error: ItemError


def detector_of(model: Model, labels: Sequence[str], threshold: float) -> Detector:
    """A detector with a model's encoder.

    Raises:
        UsageError: if the model answers no queries.
        ModelError: if a file of its encoder is missing or damaged.
    """
    return detector(labels, load_encoder(model), load_encoder(model, keep=False), threshold)


def listen(sources: Iterable[Source], ears: Detector) -> Iterator[Heard | Unheard]:
    """Every recording; one that cannot be read does not end the search."""
    for source in sources:
        try:
            yield Heard(source.path, tuple(sounds_in(source, ears)))
        except ItemError as error:
            yield Unheard(source.path, error)


def sounds_in(
    source: Source, ears: Detector, start: float = 0.0, duration: float | None = None
) -> list[Sound]:
    """The sounds in a recording, or in the part of it that its manifest's row names.

    Args:
        source: the recording.
        ears: what to listen for.
        start: seconds to leave out at the beginning, if no row says otherwise.
        duration: seconds to listen to; None for all.

    Raises:
        ItemError: if it cannot be read.
    """
    info = probe(source.path)
    first = start if source.start is None else source.start
    seconds = duration if source.end is None else source.end - first
    rate = heard_rate(info)
    heard = resampled(blocks(info, first, seconds), info.rate, rate, info.channels)
    return ears.listen(heard, rate, first)
