"""SDR of BSS Eval v4, which is the signal-to-noise ratio of every second.

    SDR = 10 log10( |s|^2 / |s - e|^2 ),    energies of all channels of a frame

The decomposition of BSS Eval's images (Vincent et al., 2012, "The Signal Separation Evaluation
Campaign (2007-2010)") is e = s + e_spat + e_interf + e_artif, and its SDR divides by
the sum of all three errors. That sum is e - s whatever the projections are, so no filter needs
to be computed. Open-Unmix and Demucs print this figure as SDR, Band-Split RNN as cSDR: the median
over frames of a track, then the median or mean over tracks.

It is blind to level between frames: a quiet second counts as much as a loud one, a second that
has no figure counts nothing. And it is blind to what kind of error there is; see `sdr`.
"""

from __future__ import annotations

import numpy as np

from sepcli.evaluation.metrics.framing import (
    error_energies,
    frame_energies,
    frames,
    ratios_db,
    undefined,
)
from sepcli.evaluation.metrics.validation import validate, validate_pair
from sepcli.evaluation.scene import Array, Compat, Scene, Scores, Signal


def frame_sdr(
    references: Signal, estimates: Signal, window: int, hop: int, compat: Compat = "sepcli"
) -> Array:
    """SDR of every frame in dB, (stems, frames).

    NaN where a signal is silent, see `framing`; infinite where an estimate is perfect.

    Args:
        references: (stems, channels, samples).
        estimates: the same shape, estimate i belonging to reference i.
        window: length of a frame, samples.
        hop: from one frame's begin to the next one's, samples.
        compat: "museval" for its rule of silence.

    Raises:
        ItemError: see `validate_pair`.
        ValueError: if window or hop is not positive.
    """
    s, e = validate_pair(references, estimates)
    spans = frames(s.shape[-1], window, hop)
    values = ratios_db(frame_energies(s, spans), error_energies(s, e, spans))
    return np.where(undefined(s, e, spans, compat), np.nan, values)


def evaluate(scene: Scene, compat: Compat = "sepcli") -> Scores:
    """Column csdr, in dB, with the SDR of every second.

    Raises:
        ItemError: see `validate`.
    """
    validate(scene)
    second = scene.rate
    return {"csdr": frame_sdr(scene.references, scene.estimates, second, second, compat)}
