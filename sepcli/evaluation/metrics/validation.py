"""What every metric refuses, said once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sepcli.errors import ItemError
from sepcli.evaluation.scene import Array, Scene, Signal

REMEDY = "run `sepcli eval check` on the folder: it shows which files do not fit"


def validate(scene: Scene) -> None:
    """Refuse a scene that cannot be scored.

    Raises:
        ItemError: if the arrays' shapes do not fit each other or the list of stems, they have no
            samples, or a value is NaN or infinite.
    """
    expected = (len(scene.stems), *scene.mixture.shape)
    if scene.mixture.ndim != 2 or scene.references.shape != expected:
        raise ItemError(
            f"references of shape {scene.references.shape} do not fit {len(scene.stems)} stems "
            f"of a mixture of shape {scene.mixture.shape}",
            REMEDY,
        )
    validate_pair(scene.references, scene.estimates)
    refuse_unknown(scene.mixture, "mixture")


def validate_pair(reference: Signal, estimate: Signal) -> tuple[Array, Array]:
    """Both in float64, or a refusal of what cannot be compared.

    Raises:
        ItemError: if the shapes differ, there are no samples, or a value is NaN or infinite.
    """
    if reference.shape != estimate.shape:
        raise ItemError(
            f"reference {reference.shape} and estimate {estimate.shape} differ in shape", REMEDY
        )
    if not reference.size:
        raise ItemError(f"there is nothing to compare in arrays of shape {reference.shape}", REMEDY)
    refuse_unknown(reference, "reference")
    refuse_unknown(estimate, "estimate")
    return reference.astype(np.float64, copy=False), estimate.astype(np.float64, copy=False)


def refuse_unknown(signal: NDArray[np.floating], role: str) -> None:
    """Refuse NaN and infinity, which would turn a whole table into NaN.

    Raises:
        ItemError: if there is one.
    """
    if not np.isfinite(signal).all():
        raise ItemError(f"a sample of the {role} is NaN or infinite", REMEDY)
