"""Source-aggregated SDR (von Neumann et al., 2022, "SA-SDR: A novel loss function for
separation of meeting style data").

    SA-SDR = 10 log10( sum_k |s_k|^2 / sum_k |s_k - e_k|^2 )

Energies are summed over sources before the division, so that a silent source, whose own SDR is
undefined, still counts by the energy that was wrongly given to it. There is one figure for the
item; it stands in the row of each of its stems. SA-SDRi is what is gained over handing in the
mixture as every stem.

It is blind to which source an error is in, and to how quiet ones fare: a stem 20 dB below
three others, all at 10 dB, may be left out altogether for 0.14 dB. Like SDR it does not tell
kinds of error apart.
"""

from __future__ import annotations

import numpy as np

from sepcli.evaluation.metrics.sdr import energy, ratio_db
from sepcli.evaluation.metrics.validation import validate, validate_pair
from sepcli.evaluation.scene import Compat, Scene, Scores, Signal


def sa_sdr(references: Signal, estimates: Signal) -> float:
    """SA-SDR in dB; NaN if all references are silent, infinite if all estimates are perfect.

    Args:
        references: (stems, ...).
        estimates: the same shape.

    Raises:
        ItemError: see `validate_pair`.
    """
    s, e = validate_pair(references, estimates)
    return ratio_db(energy(s), energy(s - e)) if s.any() else float("nan")


def evaluate(scene: Scene, compat: Compat = "sepcli") -> Scores:
    """Columns sa_sdr and sa_sdri, in dB, with one value for all stems.

    Raises:
        ItemError: see `validate`.
    """
    validate(scene)
    value = sa_sdr(scene.references, scene.estimates)
    mixtures = np.broadcast_to(scene.mixture, scene.references.shape)
    gain = value - sa_sdr(scene.references, mixtures)
    stems = len(scene.stems)
    return {"sa_sdr": np.full(stems, value), "sa_sdri": np.full(stems, gain)}
