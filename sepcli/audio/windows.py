"""Cutting a stream into windows with real context at their edges, and joining what comes out.

A window of length W is trusted except for `context` samples at each edge, where the network
has heard too little. Neighbours overlap by 2 * context + fade, so that the trusted parts
overlap by `fade`, over which one is faded into the next; the two ramps sum to one. The first
window is trusted from its first sample. The last one is moved back to end with the signal, so
it is as long as the others and computes nothing twice but the overlap.

A network that pools frames in groups answers differently when the groups begin elsewhere. Windows
that start at multiples of a group, its grid, are pooled as the whole signal would be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]  # (samples, channels)
Stems = NDArray[np.float32]  # (stems, samples, channels)


@dataclass(frozen=True)
class Layout:
    """Lengths in samples.

    Attributes:
        window: what the network hears at once.
        context: at each edge of a window, heard but not used.
        fade: overlap of the used parts of two neighbours.
        grid: the last window starts at a multiple of it, and may be that much shorter.
    """

    window: int
    context: int
    fade: int
    grid: int = 1

    def __post_init__(self) -> None:
        if min(self.window, self.fade) < 1 or self.context < 0 or self.hop < 1:
            raise ValueError(f"a window of {self.window} is too short for its overlap")

    @property
    def hop(self) -> int:
        """Distance of two windows' starts."""
        return self.window - 2 * self.context - self.fade

    @classmethod
    def of(cls, rate: int, window: float, context: float, fade: float, grid: int = 1) -> Layout:
        """From seconds, and a grid in samples.

        The fade grows until the hop, and so every start, is a multiple of the grid. Of windows too
        short for that only the last one tries to keep to it.
        """
        lengths = round(window * rate), round(context * rate), max(1, round(fade * rate))
        layout = cls(*lengths, grid)
        spare = layout.hop % grid if layout.hop >= grid else 0
        return replace(layout, fade=layout.fade + spare)


@dataclass(frozen=True)
class Window:
    """A part of the signal, and how much of it counts.

    Attributes:
        start: index of its first sample in the signal.
        wave: (samples, channels).
        fade_in: index in the signal from which it is faded in; None for the first window.
        last: whether the signal ends with it.
    """

    start: int
    wave: Wave
    fade_in: int | None
    last: bool


def cut(blocks: Iterable[Wave], layout: Layout) -> Iterator[Window]:
    """Windows of a stream of blocks (samples, channels), of any lengths.

    A stream shorter than a window gives one short window; an empty one gives none.
    """
    held: list[Wave] = []  # the signal from `start` on
    start, end = 0, 0
    base, fade_in = 0, None  # of the next window
    keep = layout.window  # samples before a window's start that the last one may need
    for block in blocks:
        held.append(block)
        end += len(block)
        # One sample more than the window is needed to know that it is not the last.
        while end > base + layout.window:
            buffer = joined(held)
            at = base - start
            yield Window(base, buffer[at : at + layout.window], fade_in, last=False)
            base += layout.hop
            fade_in = base + layout.context
            drop = max(0, base - keep - start)
            held, start = [buffer[drop:]], start + drop
    if end:
        whole = -(-(end - layout.window) // layout.grid) * layout.grid  # rounded up
        first = max(0, min(base, whole))
        yield Window(first, joined(held)[first - start :], fade_in, last=True)


def joined(parts: Sequence[Wave]) -> Wave:
    """One after another; copied only if they are several."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


class Joiner:
    """Overlap-adds the stems of successive windows and gives out what is finished."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._fading: Stems | None = None  # the former window's end, already faded out

    def add(self, window: Window, stems: Stems) -> Stems:
        """Add a window's stems; returns what no later window will change.

        Args:
            window: as `cut` gave it.
            stems: (stems, samples of the window, channels).

        Returns:
            (stems, finished samples, channels), the continuation of what was returned before.
        """
        fade = self._layout.fade
        first = 0 if window.fade_in is None else window.fade_in - window.start
        used = stems[:, first:]
        if self._fading is not None:
            ramp = fade_ramp(fade)
            used = used.copy()
            used[:, :fade] = used[:, :fade] * ramp + self._fading
        if window.last:
            self._fading = None
            return used
        end = self._layout.window - self._layout.context - first
        tail = used[:, end - fade : end]
        self._fading = tail * (1 - fade_ramp(fade))
        return used[:, : end - fade]


def fade_ramp(fade: int) -> Wave:
    """(fade, 1) rising from just above 0 to just below 1, symmetric."""
    ramp = (np.arange(fade, dtype=np.float64) + 0.5) / fade
    return ramp[:, None].astype(np.float32)
