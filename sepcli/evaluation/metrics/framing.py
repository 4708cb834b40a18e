"""Frames of an item, their energies, and which of them have no figure.

A frame in which a stem's reference or estimate is silent has no ratio. `compat="sepcli"` leaves
out that stem's own frame. `compat="museval"` reproduces museval: one silent signal takes the
frame from every stem, and a signal counts as silent if its channels add up to zero in every
sample, which is also true of one with opposite channels.

Samples after the last whole frame are not scored, as in museval; an item shorter than a frame is
one frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from sepcli.evaluation.scene import Array, Compat

LIMIT_DB = 100.0  # what the normal equations of float64 signals still resolve


def frames(samples: int, window: int, hop: int) -> list[slice]:
    """Where the frames are.

    Args:
        samples: length of the item.
        window: length of a frame, samples.
        hop: from one frame's begin to the next one's, samples.

    Raises:
        ValueError: if window or hop is not positive.
    """
    if window < 1 or hop < 1:
        raise ValueError(f"window {window} and hop {hop} must be at least one sample")
    if window >= samples:
        return [slice(0, samples)]
    return [slice(start, start + window) for start in range(0, samples - window + 1, hop)]


def frame_energies(signals: Array, spans: Sequence[slice]) -> Array:
    """Energy of every stem in every frame, channels together, (stems, frames).

    Args:
        signals: (stems, channels, samples).
        spans: the frames.
    """
    return np.array([[_energy(stem[:, span]) for span in spans] for stem in signals])


def error_energies(
    references: Iterable[Array], estimates: Iterable[Array], spans: Sequence[slice]
) -> Array:
    """Energy of reference - estimate, (stems, frames); see `frame_energies`."""
    pairs = zip(references, estimates, strict=True)
    return np.array([[_energy(s[:, span] - e[:, span]) for span in spans] for s, e in pairs])


def _energy(signal: Array) -> float:
    return float(np.einsum("cn,cn->", signal, signal))


def undefined(
    references: Array, estimates: Iterable[Array], spans: Sequence[slice], compat: Compat
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which frames have no figure for silence, (stems, frames).

    Args:
        references: (stems, channels, samples).
        estimates: the same shape.
        spans: the frames.
        compat: "museval" for the joint rule of the head of this file.
    """
    shape = len(references), len(spans)
    if compat != "museval":
        heard = [
            [s[:, span].any() and e[:, span].any() for span in spans]
            for s, e in zip(references, estimates, strict=True)
        ]
        return ~np.array(heard)
    signals = [*references, *estimates]
    joint = [any(not s[:, span].sum(axis=0).any() for s in signals) for span in spans]
    return np.broadcast_to(joint, shape)


def ratios_db(signal: Array, noise: Array) -> Array:
    """10 log10(signal / noise) of every element.

    Infinite without noise, minus infinite without signal, NaN without both. Energies that
    rounding has left below zero are zero.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return 10 * np.log10(np.maximum(signal, 0.0) / np.maximum(noise, 0.0))


def resolved(values: Array, compat: Compat) -> Array:
    """Ratios that came out of normal equations, as infinite where they are beyond resolution.

    Above `LIMIT_DB` the smaller energy is a difference of numbers that agree in ten digits: an
    equal mix scores a SAR of 168 or 181 dB by the order of its sums. "museval" keeps such
    figures.
    """
    if compat == "museval":
        return values
    return np.where(np.abs(values) > LIMIT_DB, np.copysign(np.inf, values), values)
