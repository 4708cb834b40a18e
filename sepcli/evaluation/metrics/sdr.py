"""Signal-to-distortion ratio without any filter: the plain error energy.

    SDR = 10 log10( |s|^2 / |s - e|^2 )

with all channels and samples summed before the division. The same figure is called SNR
elsewhere, uSDR in the MDX challenges, and SDR in the literature on text-queried separation. It
is blind to nothing, but punishes a wrong gain as it punishes noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.floating]


def validate(reference: Signal, estimate: Signal) -> None:
    """Refuse what cannot be compared.

    Raises:
        ValueError: if the shapes differ, a value is not finite, or the reference is silent.
    """
    if reference.shape != estimate.shape:
        raise ValueError(
            f"reference {reference.shape} and estimate {estimate.shape} differ in shape"
        )
    if not (np.isfinite(reference).all() and np.isfinite(estimate).all()):
        raise ValueError("a value is NaN or infinite")
    if not np.any(reference):
        raise ValueError("the reference is silent: the ratio is undefined")


def sdr(reference: Signal, estimate: Signal) -> float:
    """SDR in dB; infinite for a perfect estimate.

    Args:
        reference: (...), any shape.
        estimate: the same shape.

    Raises:
        ValueError: see `validate`.
    """
    validate(reference, estimate)
    s, e = reference.astype(np.float64), estimate.astype(np.float64)
    return ratio_db(np.square(s).sum(), np.square(s - e).sum())


def improvement(reference: Signal, estimate: Signal, mixture: Signal) -> float:
    """SDRi: how much better the estimate is than the mixture, in dB."""
    return sdr(reference, estimate) - sdr(reference, mixture)


def ratio_db(signal: float, noise: float) -> float:
    """10 log10(signal / noise); infinite without noise, minus infinite without signal."""
    if noise == 0:
        return float("inf")
    return float(10 * np.log10(signal / noise)) if signal > 0 else float("-inf")
