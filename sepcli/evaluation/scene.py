"""What every metric is given: a recording's references, the estimates of them, and the mixture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.floating]
Array = NDArray[np.float64]

Compat = Literal["sepcli", "museval", "audiosep", "mdx", "msst"]
"""Whose constants (epsilons, clamps, treatment of silence) a figure reproduces; "sepcli" has
none: what is undefined is NaN, and counted."""

Scores = dict[str, Array]
"""Column -> values, (stems,) or (stems, frames); NaN where a figure is undefined."""


@dataclass(frozen=True)
class Scene:
    """One item, ready to be scored: all arrays have one length and one number of channels.

    Attributes:
        rate: sample rate, Hz.
        stems: names of the sources, in the order of the arrays.
        references: (stems, channels, samples).
        estimates: (stems, channels, samples), estimate i belonging to reference i.
        mixture: (channels, samples).
        queries: stem -> the words by which it was asked for, where words were used.
    """

    rate: int
    stems: tuple[str, ...]
    references: Array
    estimates: Array
    mixture: Array
    queries: Mapping[str, str] = field(default_factory=dict)
