"""Queries that nobody wrote: what is detected in a recording is what it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sepcli.errors import ItemError
from sepcli.query.detect import THRESHOLD, Sound
from sepcli.query.labels import audioset_names
from sepcli.registry.store import Model
from sepcli.separation.detection import listener
from sepcli.separation.events import Detected
from sepcli.separation.inputs import Source
from sepcli.separation.options import SeparateOptions
from sepcli.separation.plan import Rejected
from sepcli.separation.queries import Query


@dataclass
class Search:
    """Recordings with what was found in them.

    Attributes:
        sources: those in which something was found, with their queries.
        events: what was found in each, nothing included.
        rejected: those that could not be read.
    """

    sources: list[Source] = field(default_factory=list)
    events: list[Detected] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def in_vain(self) -> list[Detected]:
        """The recordings in which nothing was found."""
        return [event for event in self.events if not event.sounds]


def search(sources: Iterable[Source], options: SeparateOptions, model: Model) -> Search:
    """Listen to recordings for AudioSet's sounds; a manifest's own queries stay.

    Raises:
        ModelError: if a file of the model is missing or damaged.
    """
    ears = listener(model, audioset_names(), THRESHOLD, options.device)
    found = Search()
    for source in sources:
        if source.queries:
            found.sources.append(source)
            continue
        try:
            sounds = ears.search(source, options.start, options.duration).sounds
        except ItemError as error:
            found.rejected.append(Rejected(source, error))
            continue
        chosen = sounds[: options.auto_limit]
        found.events.append(told(source, chosen))
        if chosen:
            queries = tuple(Query(sound.label, sound.label) for sound in chosen)
            found.sources.append(replace(source, queries=queries))
    return found


def told(source: Source, sounds: Iterable[Sound]) -> Detected:
    """The event of a recording that was listened to."""
    return Detected(str(source.path), tuple((s.label, round(s.score, 4)) for s in sounds))
