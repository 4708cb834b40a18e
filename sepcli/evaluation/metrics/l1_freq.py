"""L1Freq: the mean difference of magnitude spectrograms, on a scale from 0 to 100.

    L1Freq = 100 / (1 + 10 mean |  |E| - |S|  |)

with spectra of 2048 samples every 1024, without a window, mirrored at the ends, over all
channels. A metric of the MVSEP leaderboards, defined by the code of
ZFTurbo/Music-Source-Separation-Training (utils/metrics.py, MIT). A recording of up to 1024
samples gives NaN, since there is nothing to mirror.

It is blind to phase, and so to polarity and delays within a frame. It depends on the recording's
absolute level, unlike the ratios: everything 20 dB down looks far better. The figures of quiet
stems, or of two data sets, do not compare.
"""

from __future__ import annotations

import numpy as np

from sepcli.evaluation.metrics.spectra import magnitudes
from sepcli.evaluation.metrics.stemwise import per_stem
from sepcli.evaluation.metrics.validation import validate, validate_pair
from sepcli.evaluation.scene import Compat, Scene, Scores, Signal

LENGTH = 2048
HOP = 1024
WEIGHT = 10.0


def l1_freq(reference: Signal, estimate: Signal) -> float:
    """L1Freq, 0 to 100, higher is better; NaN for up to 1024 samples.

    Args:
        reference: (channels, samples), full scale at 1.
        estimate: the same shape.

    Raises:
        ItemError: see `validate_pair`.
    """
    s, e = validate_pair(reference, estimate)
    if s.shape[-1] <= LENGTH // 2:
        return float("nan")
    rectangle = np.ones(LENGTH)
    differences = [
        np.abs(
            magnitudes(x, rectangle, HOP, "reflect") - magnitudes(y, rectangle, HOP, "reflect")
        ).mean()
        for x, y in zip(s, e, strict=True)
    ]
    return float(100 / (1 + WEIGHT * np.mean(differences)))


def evaluate(scene: Scene, compat: Compat = "sepcli") -> Scores:
    """Column l1_freq.

    Raises:
        ItemError: see `validate`.
    """
    validate(scene)
    return {"l1_freq": per_stem(scene, l1_freq)}
