"""Fréchet audio distance: between all estimates and all references, never between two signals.

Both sets of embeddings are taken for Gaussians, between which the Fréchet (2-Wasserstein)
distance has a closed form (Dowson and Landau, 1982); used for audio by Kilgour et al. (2019,
"Fréchet Audio Distance"):

    FAD = |m1 - m2|^2 + tr C1 + tr C2 - 2 tr (C1 C2)^(1/2).

C1 C2 is not symmetric, but has the eigenvalues of the symmetric S1 C2 S1, S1 = C1^(1/2), which
are the squared singular values of S1 S2. So the last trace is the sum of the singular values of
S1 S2: no root of a non-symmetric matrix, and none of small differences.

FAD of N samples is too high, by about a constant over N. FAD-infinity (Gui et al., 2024,
"Adapting Frechet Audio Distance for generative music evaluation", after Chong and Forsyth, 2020)
computes it for several N and extends the straight line over 1/N to 0. The references keep their
own bias in it.

Blind to which estimate belongs to which reference: shuffled estimates score 0. Blind to what the
embedding does not hear, and comparable only for one embedding and one data set. Below 1000
samples, or fewer than the embedding has dimensions, it says little: `FEW`, and a flag.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sepcli.evaluation.metrics.clap_score import default_encoder, embed_windows
from sepcli.evaluation.metrics.validation import validate_pair
from sepcli.evaluation.scene import Array

if TYPE_CHECKING:  # it imports torch
    from sepcli.query.encoder import QueryEncoder

FEW = 1000  # samples, below which a distance is flagged
SIZES = 15  # numbers of samples that FAD-infinity is extrapolated from
SMALLEST_SHARE = 5  # the first of them is a fifth of all
FEWEST = 50  # samples that FAD-infinity needs


@dataclass
class Gaussian:
    """Mean and covariance of samples that come in batches (Chan, Golub and LeVeque, 1983).

    Args:
        dimension: of a sample.
    """

    dimension: int
    count: int = 0
    mean: Array = field(init=False)
    scatter: Array = field(init=False)

    def __post_init__(self) -> None:
        self.mean = np.zeros(self.dimension)
        self.scatter = np.zeros((self.dimension, self.dimension))

    def add(self, samples: Array) -> None:
        """Take in (samples, dimension); none is fine."""
        if not len(samples):
            return
        mean = samples.mean(axis=0)
        total = self.count + len(samples)
        shift = mean - self.mean
        # About the new common mean, both scatters grow by their own mean's distance from it.
        between = self.count * len(samples) / total * np.outer(shift, shift)
        self.scatter += (samples - mean).T @ (samples - mean) + between
        self.mean = self.mean + shift * len(samples) / total
        self.count = total

    @property
    def covariance(self) -> Array:
        """(dimension, dimension), unbiased.

        Raises:
            ValueError: with fewer than two samples.
        """
        if self.count < 2:
            raise ValueError(f"{self.count} samples have no covariance")
        return self.scatter / (self.count - 1)


def validate(embeddings_a: Array, embeddings_b: Array) -> None:
    """Refuse what has no distance.

    Raises:
        ValueError: unless both are (2 or more samples, one dimension), and finite.
    """
    for embeddings in (embeddings_a, embeddings_b):
        if embeddings.ndim != 2 or len(embeddings) < 2:
            raise ValueError(f"embeddings of shape {embeddings.shape}, not (2 or more, dimension)")
        if not np.isfinite(embeddings).all():
            raise ValueError("an embedding is NaN or infinite")
    if embeddings_a.shape[1] != embeddings_b.shape[1]:
        shapes = f"{embeddings_a.shape[1]} and {embeddings_b.shape[1]}"
        raise ValueError(f"embeddings of {shapes} dimensions cannot be compared")


def frechet_distance(mean1: Array, cov1: Array, mean2: Array, cov2: Array) -> float:
    """Between two Gaussians; 0 only for the same one.

    Args:
        mean1: (d,)
        cov1: (d, d), may be singular.
        mean2: (d,)
        cov2: (d, d)
    """
    overlap = np.linalg.svd(root(cov1) @ root(cov2), compute_uv=False).sum()
    distance = np.square(mean1 - mean2).sum() + np.trace(cov1) + np.trace(cov2) - 2 * overlap
    return max(0.0, float(distance))


def root(covariance: Array) -> Array:
    """The symmetric square root of a symmetric, positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(values.clip(min=0))) @ vectors.T)


def fad(embeddings_a: Array, embeddings_b: Array) -> float:
    """Fréchet distance between two sets, (samples, d) each.

    Raises:
        ValueError: see `validate`.
    """
    validate(embeddings_a, embeddings_b)
    return between(gaussian(embeddings_a), gaussian(embeddings_b))


def gaussian(embeddings: Array) -> Gaussian:
    """The Gaussian that (samples, d) are taken for."""
    result = Gaussian(embeddings.shape[1])
    result.add(embeddings)
    return result


def between(one: Gaussian, other: Gaussian) -> float:
    """Fréchet distance between what two sets are taken for."""
    return frechet_distance(one.mean, one.covariance, other.mean, other.covariance)


def fad_infinity(reference: Gaussian, embeddings: Array, seed: int = 0) -> float:
    """FAD as it would be with infinitely many estimates.

    Args:
        reference: of all references.
        embeddings: (samples, d), of the estimates.
        seed: of the order in which subsets are drawn, without replacement.

    Returns:
        The line's value at 1/N = 0, which may be slightly negative; NaN below 50 samples.
    """
    count = len(embeddings)
    if count < FEWEST:
        return float("nan")
    random = np.random.default_rng(seed)
    sizes = np.linspace(count // SMALLEST_SHARE, count, SIZES).astype(int)
    subsets = (embeddings[random.permutation(count)[:size]] for size in sizes)
    distances = [between(reference, gaussian(subset)) for subset in subsets]
    return float(np.polyfit(1 / sizes, distances, 1)[1])


class FadAccumulator:
    """FAD of a whole data set, item by item; every window of a signal is a sample.

    Args:
        encoder: what embeds; None for the small CLAP that ships with sepcli.
    """

    def __init__(self, encoder: QueryEncoder | None = None) -> None:
        self._encoder = encoder or default_encoder()
        self._references = Gaussian(self._encoder.dimension)
        self._estimates: list[Array] = []

    def add(self, reference: Array, estimate: Array, rate: int) -> None:
        """Take in a stem of an item; silent windows are left out.

        Args:
            reference: (channels, samples)
            estimate: the same shape.
            rate: Hz.

        Raises:
            ItemError: see `validate_pair`.
        """
        validate_pair(reference, estimate)
        self._references.add(embed_windows(self._encoder, reference, rate))
        self._estimates.append(embed_windows(self._encoder, estimate, rate))

    def result(self) -> dict[str, float]:
        """The figures so far.

        Returns:
            fad and fad_infinity, NaN where undefined; fad_references and fad_estimates, how many
            windows were heard; fad_few, 1.0 if that is too few to trust, else 0.0.
        """
        estimates = np.concatenate([np.empty((0, self._encoder.dimension)), *self._estimates])
        fewest = min(self._references.count, len(estimates))
        figures = {"fad": float("nan"), "fad_infinity": float("nan")}
        if fewest >= 2:
            figures["fad"] = between(self._references, gaussian(estimates))
            figures["fad_infinity"] = fad_infinity(self._references, estimates)
        return figures | {
            "fad_references": float(self._references.count),
            "fad_estimates": float(len(estimates)),
            "fad_few": float(fewest < max(FEW, self._encoder.dimension)),
        }


def score_set(
    pairs: Iterable[tuple[Array, Array]], rate: int, encoder: QueryEncoder | None = None
) -> dict[str, float]:
    """FAD of (reference, estimate) pairs of (channels, samples); see `FadAccumulator.result`.

    Raises:
        ItemError: see `validate_pair`.
    """
    accumulator = FadAccumulator(encoder)
    for reference, estimate in pairs:
        accumulator.add(reference, estimate, rate)
    return accumulator.result()
