"""Scale-invariant SDR (Le Roux et al., 2019, "SDR - half-baked or well done?", eq. 4).

    a = <e, s> / <s, s>,    SI-SDR = 10 log10( |a s|^2 / |a s - e|^2 )

without removing means, as in the literature on text-queried separation. Channels are treated
as one long signal with a single a. It is blind to the estimate's gain.
"""

from __future__ import annotations

import numpy as np

from sepcli.evaluation.metrics.sdr import Signal, ratio_db, validate


def si_sdr(reference: Signal, estimate: Signal) -> float:
    """SI-SDR in dB; infinite for a scaled copy, minus infinite for something orthogonal.

    Args:
        reference: (...), any shape.
        estimate: the same shape.

    Raises:
        ValueError: see `sepcli.evaluation.metrics.sdr.validate`.
    """
    validate(reference, estimate)
    s, e = reference.astype(np.float64).ravel(), estimate.astype(np.float64).ravel()
    scaled = (e @ s) / (s @ s) * s
    return ratio_db(np.square(scaled).sum(), np.square(scaled - e).sum())


def improvement(reference: Signal, estimate: Signal, mixture: Signal) -> float:
    """SI-SDRi: how much better the estimate is than the mixture, in dB."""
    return si_sdr(reference, estimate) - si_sdr(reference, mixture)
