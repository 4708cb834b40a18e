"""Signal-to-distortion ratio without any filter: the plain energy of the error.

    SDR = 10 log10( |s|^2 / |s - e|^2 )

with all channels and samples of the item summed before the division. The same figure is called
SNR in speech enhancement, uSDR or nSDR in the MDX challenges (Mitsufuji et al., 2022, "Music
Demixing Challenge 2021") and SDR in the literature on text-queried separation (Liu et
al., 2022, "Separate What You Describe"). SDRi is what is gained over handing in the mixture.

Systems protect the ratio in ways that matter for quiet stems; `compat` reproduces them:

    mdx        1e-7 added to both sums             (Demucs, evaluate.py, new_sdr)
    msst       1e-8 added to both sums             (Music-Source-Separation-Training, metrics.py)
    audiosep   both means are at least 1e-10       (AudioSep, utils.py, calculate_sdr)

Without them a silent reference gives NaN, since no estimate of it could be told from another;
a silent estimate gives exactly 0 dB, and a perfect one infinity.

It is blind to what kind of error there is: a wrong gain, a delay of a sample, noise and another
source's bleeding cost the same if their energy does. And it is blind to quiet passages beside
loud ones: every second counts by its energy.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from sepcli.evaluation.metrics.stemwise import over_mixture, per_stem
from sepcli.evaluation.metrics.validation import validate, validate_pair
from sepcli.evaluation.scene import Array, Compat, Scene, Scores, Signal

DELTAS = {"mdx": 1e-7, "msst": 1e-8}  # full scale squared, summed over samples
AUDIOSEP_FLOOR = 1e-10  # full scale squared, mean over samples


def sdr(reference: Signal, estimate: Signal, compat: Compat = "sepcli") -> float:
    """SDR in dB; NaN for a silent reference, infinite for a perfect estimate.

    Args:
        reference: (...), any shape.
        estimate: the same shape.
        compat: whose constants; with AudioSep's, MDX's or MSST's the result is always finite.

    Raises:
        ItemError: see `validate_pair`.
    """
    s, e = validate_pair(reference, estimate)
    signal, noise = energy(s), energy(s - e)
    if compat == "audiosep":
        return ratio_db(max(signal / s.size, AUDIOSEP_FLOOR), max(noise / s.size, AUDIOSEP_FLOOR))
    delta = DELTAS.get(compat, 0.0)
    return ratio_db(signal + delta, noise + delta) if signal + delta > 0 else float("nan")


def improvement(
    reference: Signal, estimate: Signal, mixture: Signal, compat: Compat = "sepcli"
) -> float:
    """SDRi: how much better the estimate is than the mixture, in dB."""
    return sdr(reference, estimate, compat) - sdr(reference, mixture, compat)


def energy(signal: Array) -> float:
    """Sum of squares over everything."""
    flat = signal.ravel()
    return float(flat @ flat)  # unlike a sum of squares, makes no copy of a song


def ratio_db(signal: float, noise: float) -> float:
    """10 log10(signal / noise); infinite without noise, minus infinite without signal."""
    if noise == 0:
        return float("inf")
    return float(10 * np.log10(signal / noise)) if signal > 0 else float("-inf")


def evaluate(scene: Scene, compat: Compat = "sepcli") -> Scores:
    """Columns sdr and sdri, in dB.

    Raises:
        ItemError: see `validate`.
    """
    validate(scene)
    score = partial(sdr, compat=compat)
    values = per_stem(scene, score)
    return {"sdr": values, "sdri": over_mixture(values, scene, score)}
