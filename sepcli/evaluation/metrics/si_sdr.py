"""Scale-invariant SDR (Le Roux et al., 2019, "SDR - half-baked or well done?", eq. 4).

    a = <e, s> / <s, s>,    SI-SDR = 10 log10( |a s|^2 / |a s - e|^2 )

SI-SNR (Luo and Mesgarani, 2018, "TasNet") is the same after each channel's mean has been
removed from both signals; the papers on text-queried separation do not remove it.

Channels are treated as one long signal with a single a. Nothing in the definition says so, and
the two other readings, the mean of the channels' figures and the figure of the mono downmix,
differ by decibels: if the right channel of an otherwise good estimate is at 0.7 of its level,
a scale per channel forgives that, and so does the downmix of a source in the centre, while a
joint one calls it a distortion, which it is: the source has moved. Measured on drums 12.4, 15.9
and 16.0 dB.

A silent reference gives NaN. A silent estimate gives minus infinity: it contains nothing of the
source, and if it were left out, silence would be the safest answer. Constants of other systems:

    audiosep   float32's epsilon is added to <e, s>, <s, s> and both energies
               (AudioSep, utils.py, calculate_sisdr)
    msst       1e-8 is added to every product before it is summed, which on a long quiet stem is
               more than the stem, and to noise and ratio
               (Music-Source-Separation-Training, metrics.py, si_sdr)

It is blind to the estimate's gain and polarity, also where these change how a mixture sounds.
Where references themselves are noisy it has an upper limit, and favours estimates that keep
the noise (arXiv 2508.14623).
"""

from __future__ import annotations

from functools import partial

import numpy as np

from sepcli.evaluation.metrics.sdr import energy, ratio_db
from sepcli.evaluation.metrics.stemwise import over_mixture, per_stem
from sepcli.evaluation.metrics.validation import validate, validate_pair
from sepcli.evaluation.scene import Array, Compat, Scene, Scores, Signal

AUDIOSEP_EPS = float(np.finfo(np.float32).eps)
MSST_EPS = 1e-8


def si_sdr(reference: Signal, estimate: Signal, compat: Compat = "sepcli") -> float:
    """SI-SDR in dB with one scale for all channels.

    Infinite (or above 280 dB, by rounding) for a scaled copy, minus infinite for a silent
    estimate, NaN for a silent reference.

    Args:
        reference: (...), any shape.
        estimate: the same shape.
        compat: whose constants; with AudioSep's or MSST's the result is always finite.

    Raises:
        ItemError: see `validate_pair`.
    """
    s, e = validate_pair(reference, estimate)
    if compat == "audiosep":
        return _audiosep(s, e)
    if compat == "msst":
        return _msst(s, e)
    if not s.any():
        return float("nan")
    scaled = (e.ravel() @ s.ravel()) / energy(s) * s
    # Before the ratio: 0 / 0 would otherwise look like a perfect estimate.
    return ratio_db(energy(scaled), energy(scaled - e)) if e.any() else float("-inf")


def si_snr(reference: Signal, estimate: Signal) -> float:
    """SI-SNR in dB: SI-SDR of what is left when every channel's mean is removed.

    Args:
        reference: (..., samples).
        estimate: the same shape.

    Raises:
        ItemError: see `validate_pair`.
    """
    s, e = validate_pair(reference, estimate)
    return si_sdr(s - s.mean(axis=-1, keepdims=True), e - e.mean(axis=-1, keepdims=True))


def improvement(
    reference: Signal, estimate: Signal, mixture: Signal, compat: Compat = "sepcli"
) -> float:
    """SI-SDRi: how much better the estimate is than the mixture, in dB."""
    return si_sdr(reference, estimate, compat) - si_sdr(reference, mixture, compat)


def _audiosep(s: Array, e: Array) -> float:
    eps = AUDIOSEP_EPS
    scaled = (e.ravel() @ s.ravel() + eps) / (energy(s) + eps) * s
    return ratio_db(energy(scaled) + eps, energy(e - scaled) + eps)


def _msst(s: Array, e: Array) -> float:
    eps = MSST_EPS
    scaled = (e * s + eps).sum() / (np.square(s) + eps).sum() * s
    ratio = energy(scaled) / (energy(scaled - e) + eps)
    return float(10 * np.log10(ratio + eps))


def evaluate(scene: Scene, compat: Compat = "sepcli") -> Scores:
    """Columns si_sdr, si_sdri and si_snr, in dB.

    SI-SNR never has constants: no system that `compat` names computes it.

    Raises:
        ItemError: see `validate`.
    """
    validate(scene)
    score = partial(si_sdr, compat=compat)
    values = per_stem(scene, score)
    return {
        "si_sdr": values,
        "si_sdri": over_mixture(values, scene, score),
        "si_snr": per_stem(scene, si_snr),
    }
