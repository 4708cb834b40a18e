"""PESQ, perceptual evaluation of speech quality, as a mean opinion score (MOS-LQO).

ITU-T P.862 with the mapping of P.862.1 at 8 kHz (narrowband) and P.862.2 at 16 kHz (wideband),
by the package pesq, which wraps the ITU's C code. Both signals are reduced to the mean of their
channels. The recommendation was validated on sentences of some seconds: items over 20 s are cut
into the fewest equal parts of at most 20 s, and the parts' figures are averaged. Parts without
speech in the reference, with a silent estimate, or below a quarter of a second have no figure;
an item without any part that has one gives NaN.

The scale ends at 4.55 (narrowband) and 4.64 (wideband).

It is blind to gain and to constant delays, which it removes, and to everything above 3.4 or 7
kHz. It knows codecs and telephone lines, not separation: bleeding of a second voice may pass as
speech. For music it means nothing.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pesq as itu

from sepcli.evaluation.metrics.resampling import resampled
from sepcli.evaluation.metrics.stemwise import mono, per_stem
from sepcli.evaluation.metrics.validation import validate, validate_pair
from sepcli.evaluation.scene import Array, Compat, Scene, Scores, Signal

LONGEST = 20  # seconds
RATES = {"nb": 8000, "wb": 16000}  # Hz


def pesq(reference: Signal, estimate: Signal, rate: int, mode: str) -> float:
    """MOS-LQO, 1 to 4.64; NaN without speech.

    Args:
        reference: (channels, samples).
        estimate: the same shape.
        rate: Hz.
        mode: "nb" or "wb".

    Raises:
        ItemError: see `validate_pair`.
    """
    validate_pair(reference, estimate)
    target = RATES[mode]
    x, y = (resampled(mono(signal), rate, target) for signal in (reference, estimate))
    parts = math.ceil(len(x) / (LONGEST * target))
    pairs = zip(np.array_split(x, parts), np.array_split(y, parts), strict=True)
    figures = [figure for pair in pairs if not math.isnan(figure := _of_part(*pair, mode))]
    return float(np.mean(figures)) if figures else float("nan")


def _of_part(x: Array, y: Array, mode: str) -> float:
    if not y.any():  # the C code would divide by its level
        return float("nan")
    try:
        return float(itu.pesq(RATES[mode], x, y, mode))
    except (itu.NoUtterancesError, itu.BufferTooShortError):
        return float("nan")


def evaluate(scene: Scene, compat: Compat = "sepcli") -> Scores:
    """Columns pesq_wb and pesq_nb, as MOS.

    Raises:
        ItemError: see `validate`.
    """
    validate(scene)
    score = partial(pesq, rate=scene.rate)
    return {f"pesq_{mode}": per_stem(scene, partial(score, mode=mode)) for mode in ("wb", "nb")}
