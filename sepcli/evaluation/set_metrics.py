"""Figures of a whole data set, which no single item has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sepcli.evaluation.datasets.base import Example
from sepcli.evaluation.scene import Array

SET_METRICS = {
    "fad": "Fréchet distance between CLAP embeddings of all estimates and of all references"
}


def set_figures(
    metrics: Sequence[str], heard: Iterable[tuple[Example, Mapping[str, Array]]]
) -> dict[str, Mapping[str, float]]:
    """Metric -> its figures.

    Args:
        metrics: of `SET_METRICS`.
        heard: every item's references and estimates; they are listened to one by one.
    """
    return {"fad": frechet(heard)} if "fad" in metrics else {}


def frechet(heard: Iterable[tuple[Example, Mapping[str, Array]]]) -> Mapping[str, float]:
    """See `sepcli.evaluation.metrics.fad`."""
    from sepcli.evaluation.metrics.fad import FadAccumulator  # imports torch

    accumulator = FadAccumulator()
    for example, estimates in heard:
        for stem, reference in example.references.items():
            if stem in estimates:
                accumulator.add(reference, estimates[stem], example.rate)
    return accumulator.result()
