"""What a mutated input is."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]  # (samples, channels)


class Must(StrEnum):
    """What an honest program makes of a file.

    Attributes:
        whole: it is odd but in order: stems of all of it, and no complaint.
        told: something is missing or damaged: a failure or a warning, never silence.
        refused: there is no sound in it that could be separated: a failure.
        honest: nobody can know beforehand. Without a complaint the stems must be those of the
            original, or of what another decoder hears in the file.
    """

    whole = "whole"
    told = "told"
    refused = "refused"
    honest = "honest"


@dataclass(frozen=True)
class Mutant:
    """A file to be written and separated.

    Attributes:
        kind: of mutation.
        name: of the file.
        content: its bytes.
        must: see `Must`.
        truth: what it held before the mutation, (samples, channels); None if that is no matter.
        tolerance: largest difference of samples that is no other sound: of 16-bit stems, or of two
            decoders.
    """

    kind: str
    name: str
    content: bytes
    must: Must
    truth: Wave | None = None
    tolerance: float = 2**-14
