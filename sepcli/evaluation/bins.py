"""Numbers in few bins with round edges."""

from __future__ import annotations

import math
from collections.abc import Iterable

MOST = 8  # bins


def bins(numbers: Iterable[float]) -> dict[float, str]:
    """Every number -> the name of its bin, in rising order.

    Up to `MOST` different numbers keep a bin each, named by the number. More of them fall into
    half-open bins whose width is 1, 2 or 5 times a power of ten, the smallest that needs no more
    than `MOST` bins, with names such as "-5 to 0".

    Args:
        numbers: finite.
    """
    values = sorted({float(number) for number in numbers})
    if len(values) <= MOST:
        return {value: f"{value:g}" for value in values}
    width = _width(values[0], values[-1])
    steps = {value: _step(value, width) for value in values}
    return {v: f"{step * width:g} to {(step + 1) * width:g}" for v, step in steps.items()}


def _width(low: float, high: float) -> float:
    exponent = math.floor(math.log10((high - low) / MOST))
    widths = [digit * 10.0**power for power in (exponent, exponent + 1) for digit in (1, 2, 5)]
    return next(w for w in widths if _step(high, w) - _step(low, w) < MOST)


def _step(value: float, width: float) -> int:
    """Number of the bin; rounded first, since 0.3 / 0.1 is a little less than 3."""
    return math.floor(round(value / width, 9))
