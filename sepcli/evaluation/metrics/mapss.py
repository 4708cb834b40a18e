"""MAPSS: separation and match on a manifold of distortions (Ivry et al., 2025, arXiv 2509.09212).

Two figures per 20 ms frame, each between 0 and 1, more being better.

Around each reference lies a cloud of points: the reference, and some 70 distortions of it that
are still heard as the same source (`mapss_bank`), all seen by a network (`mapss_backbones`).
Clouds and estimates of one frame are mapped by diffusion (Coifman and Lafon, 2006): with
squared distances D and their median m,

    K = exp(-D / 2m),   K' = K / (d d^T),  d = K 1,   P = K' / (d' 1^T),  d' = K' 1,

the coordinates of a point are its entries in the eigenvectors of the symmetric form of P, scaled
with the eigenvalues, as many of them as hold 99 % of the eigenvalues' sum. There, with Mahalanobis
distances to the clouds' centres,

    PS = 1 - A / (A + B),    A to the own cloud, B to the nearest other one.

PM is how probable it is that a distortion lies further from its reference than the estimate
does: the upper tail of a Gamma distribution whose two moments are those of the distortions'
squared distances.

Only frames in which two or more references are active (RMS above a tenth of the whole signal's)
have figures; the others are NaN. A mean or median over frames is a summary of ours: it is not
what the paper calls the PS of an utterance (its appendix B.4), and must not be quoted as that.

Blind to gain, since all signals are brought to -23 LUFS; to everything above 8 kHz and to
stereo; and to whether a stem is there where only one source is active. Noise in the banks comes
from a fixed seed: figures are reproducible, but PS depends in its third digit on that seed, PM in
its second, and, since all sources draw from one stream, both on the order of the stems. Constants
and order of draws are those of `mapss-measures` 1.1.2; computed in float64 rather than float32.

Cost: for two sources with `raw` about one CPU-second per second of audio; a real network
embeds 150 signals per source besides. Meant for excerpts of up to half a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import pyloudnorm
from numpy.random import RandomState
from scipy.special import gammaincc

from sepcli.evaluation.metrics.mapss_backbones import (
    Backbone,
    chosen,
    common_frames,
    frame_count,
    load_backbone,
)
from sepcli.evaluation.metrics.mapss_bank import FRAME, RATE, match_bank, separation_bank
from sepcli.evaluation.metrics.resampling import resampled
from sepcli.evaluation.metrics.validation import validate, validate_pair
from sepcli.evaluation.scene import Array, Compat, Scene, Scores

SHORTEST = round(0.4 * RATE)  # samples: a block of BS.1770
LOUDNESS = -23.0  # LUFS
ACTIVE = 0.1  # of a signal's RMS
SILENT = 1e-12  # peak
MASS = 0.99  # of the eigenvalues' sum
RIDGE = 1e-6  # added to covariances and to squared distances
SEED = 42
BATCH = 64  # frames

Bank = Callable[[Array, RandomState], Iterator[Array]]
Cloud = Array  # (points, frames, features): estimate, reference, distortions
Measure = Callable[[Sequence[Array]], Array]


def mapss(
    references: Array, estimates: Array, rate: int, backbone: Backbone, seed: int = SEED
) -> tuple[Array, Array]:
    """PS and PM of every stem in every frame.

    Args:
        references: (stems, channels, samples)
        estimates: the same shape.
        rate: sample rate, Hz.
        backbone: see `mapss_backbones`.
        seed: of the noise in the banks.

    Returns:
        PS and PM, both (stems, frames of 20 ms): NaN in frames without two active references,
        and all NaN for a stem whose reference or estimate is silent. A silent reference takes
        no part at all. With fewer than two others, or less than 0.4 s, nothing is defined.

    Raises:
        ItemError: see `validate_pair`.
    """
    validate_pair(references, estimates)
    sources, outputs = to_mono(references, rate), to_mono(estimates, rate)
    blank = np.full((2, len(sources), frame_count(sources.shape[-1])), np.nan)
    heard = np.flatnonzero(abs(sources).max(axis=1, initial=0) > SILENT)
    if len(heard) < 2 or sources.shape[-1] < SHORTEST:
        return blank[0], blank[1]
    sources = np.stack([normalise(source) for source in sources[heard]])
    # A silent estimate has no loudness; its reference stands in, and its figures are dropped.
    silent = abs(outputs[heard]).max(axis=1) <= SILENT
    pairs = zip(sources, outputs[heard], silent, strict=True)
    estimated = np.stack([s if quiet else normalise(o) for s, o, quiet in pairs])
    random = RandomState(seed)
    for figure, (bank, measure) in enumerate(((separation_bank, separation), (match_bank, match))):
        clouds = [
            cloud(source, output, backbone, partial(bank, random=random))
            for source, output in zip(sources, estimated, strict=True)
        ]
        blank[figure, heard] = over_frames(clouds, activity(sources), measure)
    blank[:, heard[silent]] = np.nan
    return blank[0], blank[1]


def to_mono(signals: Array, rate: int) -> Array:
    """(signals, channels, samples) at `rate` -> (signals, samples) at 16 kHz."""
    return resampled(signals.mean(axis=1), rate, RATE)


def normalise(wave: Array) -> Array:
    """Bring to -23 LUFS, or less if its peak would pass 1.

    Where BS.1770 hears nothing (all below its gate) the RMS is brought to -23 dBFS.
    """
    loudness = pyloudnorm.Meter(RATE).integrated_loudness(wave)
    if not np.isfinite(loudness):
        loudness = 20 * np.log10(np.sqrt(np.square(wave).mean()))
    louder = wave * 10 ** ((LOUDNESS - loudness) / 20)
    normalised: Array = louder / max(1.0, abs(louder).max())
    return normalised


def activity(sources: Array) -> Array:
    """(sources, samples) -> (sources, frames): whether its RMS is above a tenth of the whole's."""
    count = frame_count(sources.shape[-1])
    frames = sources[:, : count * FRAME].reshape(len(sources), count, FRAME)
    level = np.sqrt(np.square(frames).mean(axis=2) + 1e-12)
    threshold = ACTIVE * np.sqrt(np.square(sources).mean(axis=1, keepdims=True))
    active: Array = level > threshold
    return active


def cloud(
    source: Array, output: Array, backbone: Backbone, bank: Callable[[Array], Iterator[Array]]
) -> Cloud:
    """Estimate, reference and all distortions that are not silent, embedded."""
    distorted = (wave for wave in bank(source) if abs(wave).max() > SILENT)
    embeddings = [backbone(output), backbone(source)]
    embeddings += [backbone(normalise(wave)) for wave in distorted]
    return common_frames(embeddings)


def over_frames(clouds: Sequence[Cloud], active: Array, measure: Measure) -> Array:
    """Measure every frame among the sources that are active in it.

    Args:
        clouds: one per source.
        active: (sources, frames)
        measure: `separation` or `match`.

    Returns:
        (sources, frames)
    """
    result = np.full(active.shape, np.nan)
    count = min(cloud.shape[1] for cloud in clouds)  # a network may leave out the last frame
    patterns, kinds = np.unique(active[:, :count], axis=1, return_inverse=True)
    for kind, pattern in enumerate(patterns.T):
        present = np.flatnonzero(pattern)
        if len(present) < 2:
            continue
        frames = np.flatnonzero(kinds.ravel() == kind)
        for batch in np.split(frames, range(BATCH, len(frames), BATCH)):
            mapped = manifold([clouds[int(source)][:, batch] for source in present])
            result[np.ix_(present, batch)] = measure(mapped)
    return result


def manifold(clouds: Sequence[Cloud]) -> list[Array]:
    """Map clouds together: (points, frames, features) -> (frames, points, coordinates) each."""
    coordinates = diffuse(np.concatenate(clouds).swapaxes(0, 1))
    ends = np.cumsum([len(cloud) for cloud in clouds])
    return np.split(coordinates, ends[:-1], axis=1)


def diffuse(points: Array) -> Array:
    """Diffusion coordinates of frames of points.

    Args:
        points: (frames, points, features)

    Returns:
        (frames, points, coordinates): as many as the frame with most needs. Those that another
        frame does not need are zero in it, which leaves distances as they are.
    """
    size = np.square(points).sum(axis=2)
    squared = size[:, :, None] + size[:, None, :] - 2 * points @ points.swapaxes(1, 2)
    squared = np.maximum(squared, 0)
    pairs = squared[:, *np.triu_indices(points.shape[1], 1)]
    middle = (pairs.shape[1] - 1) // 2  # the lower of two, as torch takes the median
    median = np.partition(pairs, middle, axis=1)[:, middle, None, None]
    kernel = np.exp(-squared / (2 * np.maximum(median, np.finfo(float).eps)))
    kernel = balanced(kernel, kernel.sum(axis=2))
    values, vectors = np.linalg.eigh(balanced(kernel, np.sqrt(kernel.sum(axis=2))))
    # The largest belongs to the constant function, and says nothing.
    values, vectors = values[:, -2::-1].clip(min=0), vectors[:, :, -2::-1]
    share = np.cumsum(values, axis=1) / np.maximum(values.sum(axis=1, keepdims=True), 1e-300)
    needed = np.pad(share[:, :-1] < MASS, ((0, 0), (1, 0)), constant_values=True)
    coordinates: Array = vectors * (values * needed)[:, None, :]
    return coordinates[:, :, : needed.sum(axis=1).max()]


def balanced(kernel: Array, weight: Array) -> Array:
    """Divide by the weight of row and column: (frames, n, n), (frames, n) -> (frames, n, n)."""
    return kernel / (weight[:, :, None] * weight[:, None, :])


def separation(clouds: Sequence[Array]) -> Array:
    """PS of all sources.

    Args:
        clouds: per source (frames, points, coordinates): estimate, reference, distortions.

    Returns:
        (sources, frames)
    """
    outputs = np.stack([cloud[:, 0] for cloud in clouds], axis=1)
    to_clouds = []
    for cloud in clouds:
        points = cloud[:, 1:]
        centre = points.mean(axis=1, keepdims=True)
        to_clouds.append(np.sqrt(mahalanobis(points - centre, outputs - centre)))
    distances = np.stack(to_clouds)  # (clouds, frames, outputs)
    sources = np.arange(len(clouds))
    own = distances[sources, :, sources]
    distances[sources, :, sources] = np.inf
    other = distances.min(axis=0).T
    return np.asarray(np.clip(1 - own / (own + other + RIDGE), 0, 1))


def match(clouds: Sequence[Array]) -> Array:
    """PM of all sources; argument and result as of `separation`."""
    scores = []
    for cloud in clouds:
        away = cloud - cloud[:, 1:2]
        squared = mahalanobis(away[:, 2:], np.delete(away, 1, axis=1))
        scores.append(gamma_tail(squared[:, 0], squared[:, 1:]))
    return np.stack(scores)


def mahalanobis(deviations: Array, points: Array) -> Array:
    """Squared distances from the origin, plus a ridge.

    Args:
        deviations: (frames, n, d), whose second moments / (n - 1) are the metric.
        points: (frames, m, d)

    Returns:
        (frames, m)
    """
    covariance = deviations.swapaxes(1, 2) @ deviations / (deviations.shape[1] - 1)
    covariance += RIDGE * np.eye(covariance.shape[1])
    solved = np.linalg.solve(covariance, points.swapaxes(1, 2)).swapaxes(1, 2)
    squared: Array = np.maximum((points * solved).sum(axis=2), 0) + RIDGE
    return squared


def gamma_tail(value: Array, samples: Array) -> Array:
    """P(X > value) for the Gamma distribution with the samples' mean and variance.

    Args:
        value: (frames,)
        samples: (frames, n)

    Returns:
        (frames,); 0 where the samples do not vary.
    """
    mean, variance = samples.mean(axis=1), samples.var(axis=1, ddof=1)
    varies = variance > 0
    variance = np.where(varies, variance, 1)
    tail = gammaincc(mean**2 / variance, value * mean / variance)
    return np.asarray(np.where(varies, tail, 0.0))


def evaluate(scene: Scene, compat: Compat = "sepcli") -> Scores:
    """Columns mapss_ps and mapss_pm, (stems, frames of 20 ms).

    Raises:
        ItemError: see `validate`.
        ModelError: if SEPCLI_MAPSS_MODEL names no network.
    """
    validate(scene)
    backbone = load_backbone(chosen())
    ps, pm = mapss(scene.references, scene.estimates, scene.rate, backbone)
    return {"mapss_ps": ps, "mapss_pm": pm}
