"""ViSQOL in its audio mode: similarity of spectrograms, as a mean opinion score (MOS-LQO).

Chinen et al., 2020, "ViSQOL v3: An Open Source Production Ready Objective Speech and Audio
Metric", by the package visqol-python (Apache-2.0), a port of Google's C++ code with its model.
Gammatone spectrograms at 48 kHz of the mean of the channels are cut into patches, aligned, and
compared by NSIM; a support vector regression maps similarities to 1 to 5. Equal signals score
4.73. It takes about 0.7 of the signal's length in CPU time. Silent signals give NaN (the package
itself scores anything against a silent reference 4.73), and so do items that, once aligned, are
shorter than a patch of 0.96 s.

It is blind to gain, which it removes, to delays, which it aligns, to stereo, and to what its
model was not trained on: it learned codecs, not separation, and overrates what is left of other
sources.
"""

from __future__ import annotations

from functools import lru_cache, partial

from visqol import VisqolApi

from sepcli.evaluation.metrics.resampling import resampled
from sepcli.evaluation.metrics.stemwise import mono, per_stem
from sepcli.evaluation.metrics.validation import validate, validate_pair
from sepcli.evaluation.scene import Compat, Scene, Scores, Signal

RATE = 48000  # Hz


def visqol(reference: Signal, estimate: Signal, rate: int) -> float:
    """MOS-LQO, 1 to 5; NaN for silence and for what is shorter than a patch.

    Args:
        reference: (channels, samples).
        estimate: the same shape.
        rate: Hz.

    Raises:
        ItemError: see `validate_pair`.
    """
    validate_pair(reference, estimate)
    x, y = (resampled(mono(signal), rate, RATE) for signal in (reference, estimate))
    if not (x.any() and y.any()):
        return float("nan")
    try:
        return float(_model().measure_from_arrays(x, y, RATE).moslqo)
    except ValueError:  # of valid arrays it refuses only those without a patch
        return float("nan")


@lru_cache(maxsize=1)
def _model() -> VisqolApi:
    model = VisqolApi()
    model.create(mode="audio")
    return model


def evaluate(scene: Scene, compat: Compat = "sepcli") -> Scores:
    """Column visqol, as MOS.

    Raises:
        ItemError: see `validate`.
    """
    validate(scene)
    return {"visqol": per_stem(scene, partial(visqol, rate=scene.rate))}
