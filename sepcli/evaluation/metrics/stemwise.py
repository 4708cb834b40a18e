"""From a score of two signals to the scores of a scene's stems."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sepcli.evaluation.scene import Array, Scene, Signal

PairScore = Callable[[Array, Array], float]
"""(reference, estimate), each (channels, samples) -> figure."""


def per_stem(scene: Scene, score: PairScore) -> Array:
    """The figure of every stem, (stems,)."""
    pairs = zip(scene.references, scene.estimates, strict=True)
    return np.array([score(reference, estimate) for reference, estimate in pairs])


def over_mixture(values: Array, scene: Scene, score: PairScore) -> Array:
    """How much better `values` are than if the mixture were every stem's estimate, (stems,).

    NaN where both are the same infinity: then nothing says which is better.
    """
    unprocessed: Array = np.array([score(source, scene.mixture) for source in scene.references])
    with np.errstate(invalid="ignore"):
        return values - unprocessed


def mono(signal: Signal) -> Array:
    """The mean over channels, (channels, samples) -> (samples,); one channel stays as it is."""
    return np.asarray(np.atleast_2d(signal).mean(axis=0, dtype=np.float64))
