"""One item's figures: its audio brought to the protocol's form, and every metric computed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from sepcli.errors import ItemError
from sepcli.evaluation.datasets.base import Example, Fact, Item
from sepcli.evaluation.form import formed_example
from sepcli.evaluation.metrics import oracles
from sepcli.evaluation.metrics.backends import Backend, load
from sepcli.evaluation.metrics.projection import IllConditioned
from sepcli.evaluation.permutation import best_permutation
from sepcli.evaluation.protocols import Protocol
from sepcli.evaluation.results import SYSTEM, Row
from sepcli.evaluation.scene import Array, Scene, Scores
from sepcli.evaluation.systems import Made, Stems

NOTHING = 1e-8  # of the mixture's energy: rounding to 16 bit leaves as much
SHORT = 1.0  # seconds; frames of this length do not fit into shorter items


@dataclass(frozen=True)
class Settings:
    """What is computed of every item.

    Attributes:
        protocol: its meaning.
        metrics: names, in the catalogue's sense.
        references: whether reference systems (mixture, oracles, silence) are scored as well.
        stems: of the item that are scored; None for the protocol's.
        backend: whose code computes BSS Eval.
        set_metrics: names of figures of the whole data set.
        checkpoints: (metric, SHA-256 of its weights).
    """

    protocol: Protocol
    metrics: tuple[str, ...]
    references: bool = True
    stems: tuple[str, ...] | None = None
    backend: Backend = "sepcli"
    set_metrics: tuple[str, ...] = ()
    checkpoints: tuple[tuple[str, str], ...] = ()


def prepare(item: Item, settings: Settings) -> Example:
    """An item's audio as the protocol wants it: stems, channels, rate.

    Raises:
        ItemError: if a stem is missing or the audio cannot be read.
    """
    example, protocol = item.read(), settings.protocol
    wanted = settings.stems or protocol.stems or tuple(example.references)
    if missing := [stem for stem in wanted if stem not in example.references]:
        message = f"{item.name} has no reference of {', '.join(missing)}"
        raise ItemError(message, f"it has {', '.join(example.references)}")
    references = {stem: example.references[stem] for stem in wanted}
    return formed_example(replace(example, references=references), protocol)


def score(item: Item, example: Example, made: Made, settings: Settings, key: str) -> list[Row]:
    """All rows of an item: of the system, of other ways to ask it, and of reference systems.

    Args:
        item: says names and facts.
        example: from `prepare`.
        made: by the system under test.
        settings: what is computed.
        key: of the rows, see `Row`.
    """
    references = np.stack(list(example.references.values()))
    rows = []
    with threadpool_limits(1):  # a sum's order, and so its last digits, depends on the threads
        for name, stems in made.systems.items():
            rows += score_system(item, example, references, name, stems, settings)
        if settings.references:
            everything = with_rest(references, example.mixture)
            for name, waves in oracles.reference_systems(everything, example.mixture, example.rate):
                stems = dict(zip(example.references, waves, strict=False))
                rows += score_system(item, example, references, name, stems, settings)
    rows = [with_presence(row, made.presence) for row in rows]
    return [replace(row, key=key) for row in [*rows, *made.rows]]


def with_rest(references: Array, mixture: Array) -> Array:
    """References, and what else is in the mixture as one more of them, if there is anything.

    An oracle that did not know of it would take the whole mixture for the references.
    """
    rest = mixture - references.sum(axis=0)
    if np.square(rest).sum() <= NOTHING * np.square(mixture).sum():
        return references
    return np.concatenate([references, rest[None]])


def score_system(
    item: Item,
    example: Example,
    references: Array,
    system: str,
    stems: Stems,
    settings: Settings,
) -> list[Row]:
    """A row for every stem of one system."""
    names, protocol = tuple(stems), settings.protocol
    estimates = np.stack([np.asarray(wave, np.float64) for wave in stems.values()])
    order = list(range(len(names)))
    if protocol.permutation is not None and system == SYSTEM:
        order = best_permutation(references, estimates)
    scene = Scene(
        rate=example.rate,
        stems=tuple(example.references),
        references=references,
        estimates=estimates[order],
        mixture=example.mixture,
        queries={**protocol.prompts, **item.queries},
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", IllConditioned)
        values, frames = measured(scene, settings)
    shared = ("ill_conditioned",) if any(w.category is IllConditioned for w in caught) else ()
    return [
        Row(
            item.name,
            stem,
            system,
            names[order[at]],
            facts_of(item.facts, stem),
            flags(scene, at) + shared,
            {column: float(row[at]) for column, row in values.items()},
            {column: row[at] for column, row in frames.items()},
        )
        for at, stem in enumerate(scene.stems)
    ]


def measured(
    scene: Scene, settings: Settings
) -> tuple[Scores, Mapping[str, Sequence[tuple[int, int]]]]:
    """Column -> figure of every stem, and column -> (valid, all) frames where there are frames."""
    values: Scores = {}
    frames: dict[str, Sequence[tuple[int, int]]] = {}
    for name in settings.metrics:
        for column, row in load(name, settings.backend)(scene, settings.protocol.compat).items():
            values[column] = row
            if row.ndim == 2:
                values[column] = np.array([median_of_frames(frame) for frame in row])
                frames[column] = [(int((~np.isnan(f)).sum()), len(f)) for f in row]
    return values, frames


def median_of_frames(frames: Array) -> float:
    """Median of the frames that have a figure; NaN if none has."""
    valid = frames[~np.isnan(frames)]
    return float(np.median(valid)) if len(valid) else float("nan")


def facts_of(facts: Mapping[str, Fact], stem: str) -> dict[str, Fact]:
    """An item's facts as they concern a stem: those of other stems left out, of its own renamed."""
    own = {}
    for name, value in facts.items():
        fact, colon, of = name.partition(":")
        if not colon or of == stem:
            own[fact] = value
    return own


def flags(scene: Scene, at: int) -> tuple[str, ...]:
    """What may make a stem's figures undefined."""
    reference, estimate = scene.references[at], scene.estimates[at]
    facts = {
        "ref_silent": not reference.any(),
        "est_silent": not estimate.any(),
        "perfect": np.array_equal(reference, estimate),
        "short": reference.shape[-1] < SHORT * scene.rate,
    }
    return tuple(name for name, there in facts.items() if there)


def with_presence(row: Row, presence: Mapping[str, float]) -> Row:
    """The system's own row with how sure it was that the stem is there."""
    if row.system != SYSTEM or row.stem not in presence:
        return row
    return replace(row, scores={**row.scores, "presence": presence[row.stem]})
