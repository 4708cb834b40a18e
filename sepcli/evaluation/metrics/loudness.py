"""Loudness error: how much louder the estimate sounds than the reference, in LU.

Integrated loudness after ITU-R BS.1770-4 (K-weighting, blocks of 400 ms that overlap by 75 %,
gates at -70 LUFS and 10 LU below the mean of what is left), by pyloudnorm; left and right weigh
1, the surround channels 1.41. The error is the estimate's loudness minus the reference's:
positive means too loud.

It is blind to everything but level: noise of the right loudness scores 0. And it has a sign, so
that errors of two items cancel in a mean; look at their spread.
"""

from __future__ import annotations

import math
import warnings
from functools import partial

import pyloudnorm

from sepcli.errors import ItemError
from sepcli.evaluation.metrics.stemwise import per_stem
from sepcli.evaluation.metrics.validation import validate, validate_pair
from sepcli.evaluation.scene import Compat, Scene, Scores, Signal

SHORTEST = 0.4  # seconds, one block
MOST_CHANNELS = 5  # that BS.1770 gives weights


def loudness_error(reference: Signal, estimate: Signal, rate: int) -> float:
    """Estimate minus reference in LU; NaN if either is silent or shorter than a block.

    Args:
        reference: (channels, samples), at most five channels: L, R, C, Ls, Rs.
        estimate: the same shape.
        rate: Hz.

    Raises:
        ItemError: if there are more channels, or see `validate_pair`.
    """
    validate_pair(reference, estimate)
    error = integrated(estimate, rate) - integrated(reference, rate)
    return error if math.isfinite(error) else float("nan")


def integrated(signal: Signal, rate: int) -> float:
    """Integrated loudness in LUFS; minus infinite for silence, NaN below 0.4 s.

    Args:
        signal: (channels, samples).
        rate: Hz.

    Raises:
        ItemError: if there are more than five channels.
    """
    if len(signal) > MOST_CHANNELS:
        raise ItemError(
            f"BS.1770 has weights for {MOST_CHANNELS} channels, not {len(signal)}",
            "leave `loudness` out of --metrics",
        )
    if signal.shape[-1] < SHORTEST * rate:
        return float("nan")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the mean of no blocks, where all is gated
        return float(pyloudnorm.Meter(rate).integrated_loudness(signal.T))


def evaluate(scene: Scene, compat: Compat = "sepcli") -> Scores:
    """Column loudness_error, in LU.

    Raises:
        ItemError: see `loudness_error`.
    """
    validate(scene)
    return {"loudness_error": per_stem(scene, partial(loudness_error, rate=scene.rate))}
