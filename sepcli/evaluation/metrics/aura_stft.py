"""AuraSTFT: a training loss read as a score, on a scale from 0 to 100.

    loss  = |  |S| - |E|  |_F / |  |E|  |_F  +  mean | ln |S| - ln |E| |
    score = 100 / (1 + 10 loss)

with spectra of 1024 samples every 256 with a Hann window, mirrored at the ends; magnitudes are
at least 1e-4; norms and mean run over all channels. The first term is spectral convergence, the
second the distance of log magnitudes (Yamamoto et al., 2020, "Parallel WaveGAN"),
as auraloss's STFTLoss has them (Steinmetz and Reiss, 2020; Apache-2.0). The metric is one of the
MVSEP leaderboards, defined by ZFTurbo/Music-Source-Separation-Training (utils/metrics.py, MIT),
which hands the estimate over as the target: the norm below is the estimate's. A recording of up
to 512 samples gives NaN, since there is nothing to mirror.

It is blind to phase, and so to polarity and small delays. The logarithm counts bins at 80 dB
below full scale like the loudest, which makes the score fall with noise that nobody hears.
"""

from __future__ import annotations

import numpy as np

from sepcli.evaluation.metrics.spectra import magnitudes, periodic_hann
from sepcli.evaluation.metrics.stemwise import per_stem
from sepcli.evaluation.metrics.validation import validate, validate_pair
from sepcli.evaluation.scene import Array, Compat, Scene, Scores, Signal

LENGTH = 1024
HOP = 256
SMALLEST = 1e-4  # magnitude
WEIGHT = 10.0


def aura_stft(reference: Signal, estimate: Signal) -> float:
    """AuraSTFT, above 0 to 100, higher is better; NaN for up to 512 samples.

    Args:
        reference: (channels, samples), full scale at 1.
        estimate: the same shape.

    Raises:
        ItemError: see `validate_pair`.
    """
    s, e = validate_pair(reference, estimate)
    if s.shape[-1] <= LENGTH // 2:
        return float("nan")
    x, y = _spectrogram(s), _spectrogram(e)
    convergence = np.linalg.norm(x - y) / np.linalg.norm(y)
    distance = np.abs(np.log(x) - np.log(y)).mean()
    return float(100 / (1 + WEIGHT * (convergence + distance)))


def _spectrogram(signal: Array) -> Array:
    """Of all channels, (all frames, bins)."""
    window = periodic_hann(LENGTH)
    spectra = [magnitudes(channel, window, HOP, "reflect") for channel in signal]
    return np.maximum(np.concatenate(spectra), SMALLEST)


def evaluate(scene: Scene, compat: Compat = "sepcli") -> Scores:
    """Column aura_stft.

    Raises:
        ItemError: see `validate`.
    """
    validate(scene)
    return {"aura_stft": per_stem(scene, aura_stft)}
