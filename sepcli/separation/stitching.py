"""Stems without an order of their own, put in one order from the first window to the last.

A network that separates two speakers may give them in either order, and in another one in every
window, and in every channel that it hears by itself. Neighbouring windows overlap, and what they
make of the overlap tells who is who. Of all orders p of the later one's stems b, the one counts in
which they are nearest to the former one's stems a. Since

    sum_k |a_k - b_p(k)|^2  =  sum_k |a_k|^2 + sum_k |b_k|^2 - 2 sum_k <a_k, b_p(k)>

and only the last term knows p, it is the order with the largest sum of inner products: a problem
of assignment (Kuhn, 1955).
An overlap in which nobody speaks tells nothing: then the order stays as the network gave it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from sepcli.audio.windows import Stems, Window

FRAMES_PER_SECOND = 50  # at which the loudness of two channels is compared


def stitched(answers: Iterable[tuple[Window, Stems]], rate: int) -> Iterator[tuple[Window, Stems]]:
    """Every window with its stems in the order of the first window's.

    Args:
        answers: windows as `cut` gave them, each with stems (stems, samples, channels).
        rate: of the samples, Hz.
    """
    before: tuple[Window, Stems] | None = None
    for window, stems in answers:
        ordered = channels_agreeing(stems, rate)
        if before is not None:
            ordered = agreeing(*before, window, ordered)
        before = window, ordered
        yield before


def agreeing(earlier: Window, ordered: Stems, window: Window, stems: Stems) -> Stems:
    """A window's stems in the order in which they fit those of the window before best.

    Args:
        earlier: the window before.
        ordered: its stems, (stems, samples, channels).
        window: that overlaps it.
        stems: of that window.
    """
    shared = earlier.start + len(earlier.wave) - window.start
    first, second = ordered[:, window.start - earlier.start :], stems[:, :shared]
    return stems[order(np.tensordot(first, second, axes=([1, 2], [1, 2])))]


def channels_agreeing(stems: Stems, rate: int) -> Stems:
    """A window's stems (stems, samples, channels) with the same source in all channels.

    Channels are compared by the loudness of their stems over time, since a source may reach two
    microphones at different times, or in opposite phase.
    """
    if stems.shape[2] == 1:
        return stems
    loudness = envelopes(stems, rate)
    orders = [order(loudness[:, :, 0] @ loudness[:, :, c].T) for c in range(stems.shape[2])]
    return np.stack([stems[given, :, c] for c, given in enumerate(orders)], axis=2)


def envelopes(stems: Stems, rate: int) -> NDArray[np.float64]:
    """RMS in frames of 20 ms, (stems, frames, channels)."""
    frame = max(1, rate // FRAMES_PER_SECOND)
    padded = np.pad(stems, ((0, 0), (0, -stems.shape[1] % frame), (0, 0)))
    power = np.square(padded, dtype=np.float64)
    blocks = power.reshape(len(stems), -1, frame, stems.shape[2])
    levels: NDArray[np.float64] = np.sqrt(blocks.mean(axis=2))
    return levels


def order(agreement: NDArray[np.floating]) -> NDArray[np.int64]:
    """Which stem belongs in which place.

    Args:
        agreement: (places, stems), the more the better.

    Returns:
        (places,), every stem once; as they are where nothing agrees more.
    """
    # An assignment is free to turn stems round that agree equally: the least preference decides.
    table = agreement.astype(np.float64)
    kept = np.eye(len(table)) * np.abs(table).max(initial=0.0) * np.finfo(np.float32).eps
    stems: NDArray[np.int64] = linear_sum_assignment(table + kept, maximize=True)[1]
    return stems
