"""Recordings listened to, one after another: what is in them, before anything is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from sepcli.audio.reader import blocks, probe
from sepcli.audio.resample import resampled
from sepcli.audio.windows import Wave
from sepcli.errors import ItemError
from sepcli.query.detect import Detector, Findings, Presence, no_presence
from sepcli.registry.load import LoadedModel, load, load_encoder
from sepcli.registry.store import Model
from sepcli.separation.engine import question_for
from sepcli.separation.inputs import Source
from sepcli.separation.options import Device, SeparateOptions
from sepcli.separation.runner import Runner


@dataclass(frozen=True)
class Heard:
    """What is in a recording."""

    path: Path
    findings: Findings


@dataclass(frozen=True)
class Unheard:
    """A recording that could not be read."""

    path: Path
    error: ItemError


@dataclass(frozen=True)
class Listener:
    """A model that is listening for names."""

    loaded: LoadedModel
    detector: Detector

    def search(self, source: Source, start: float = 0.0, duration: float | None = None) -> Findings:
        """The sounds in a recording, or in the part of it that its manifest's row names.

        Args:
            source: the recording.
            start: seconds to leave out at the beginning, if no row says otherwise.
            duration: seconds to listen to; None for all.

        Raises:
            ItemError: if it cannot be read.
        """
        info = probe(source.path)
        first = start if source.start is None else source.start
        seconds = duration if source.end is None else source.end - first
        rate = self.loaded.rate_for(info.rate)
        heard = resampled(blocks(info, first, seconds), info.rate, rate, info.channels)
        return self.detector.listen(heard, rate, first)


def listener(
    model: Model, labels: Sequence[str], threshold: float, device: Device = "auto"
) -> Listener:
    """A model and the names that it is to listen for.

    Raises:
        UsageError: if the model answers no queries.
        ModelError: if a file of it is missing or damaged.
    """
    texts = load_encoder(model).embed_texts(list(labels))
    ear = load_encoder(model, keep=False).embed_audio
    loaded = load(model)
    return Listener(loaded, Detector(labels, texts, ear, threshold, judge(loaded, device)))


def judge(loaded: LoadedModel, device: Device) -> Presence:
    """A model's own judgement of what is there, if it has one."""
    if not loaded.tells_presence:
        return no_presence
    runner = Runner(loaded.network, SeparateOptions((), device=device), notify=lambda _: None)

    def presence(wave: Wave, rate: int, queries: Tensor) -> NDArray[np.float32] | None:
        return runner.answer([wave], question_for(loaded, queries), rate)[0].presence

    return presence


def listen(sources: Iterable[Source], ears: Listener) -> Iterator[Heard | Unheard]:
    """Every recording; one that cannot be read does not end the search."""
    for source in sources:
        try:
            yield Heard(source.path, ears.search(source))
        except ItemError as error:
            yield Unheard(source.path, error)
