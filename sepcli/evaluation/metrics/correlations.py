"""Correlations at short lags of long signals, by FFT of blocks, in memory that does not grow.

    r_ij(l) = sum_n x_i(n) y_j(n + l),    l = 0 ... lags - 1

Cut x into blocks of `step` samples. A block meets only the samples of y beside it and the
`lags - 1` that follow, so its part of the sum is a circular correlation of
`size = step + lags - 1` points without wrapping: x padded with zeros, y read on. The products of
all blocks are added up as spectra, and one inverse transform per pair ends it (overlap-save;
Oppenheim and Schafer, "Discrete-Time Signal Processing", 8.7.3). Per frequency the sum over
blocks is a product of two small matrices, which is where BLAS does the work.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from sepcli.evaluation.scene import Array

Spectra = NDArray[np.complex128]

SIZE_PER_LAG = 8  # transform size / lags: smaller repeats more samples, larger leaves the cache
BLOCKS = 16  # transformed at a time, at most: bounds memory


class Correlator:
    """r_ij(l) of the head of this file, for many signals of one length.

    Its buffers are kept between calls: getting them from the system anew would cost as much as
    the transforms.

    Args:
        left: number of signals x.
        right: number of signals y.
        samples: length of all of them.
        lags: number of lags, 0 and up. Lags below 0 are those of the swapped pair.
    """

    def __init__(self, left: int, right: int, samples: int, lags: int) -> None:
        self.lags = lags
        self.size = next_fast_len(min(SIZE_PER_LAG * lags, samples + lags - 1), real=True)
        self.step = self.size - lags + 1
        blocks = -(-samples // self.step)
        self.blocks = -(-blocks // -(-blocks // BLOCKS))  # groups as even as they can be
        bins = self.size // 2 + 1
        self.x = np.empty((bins, left, self.blocks), np.complex128)
        self.y = np.empty((bins, right, self.blocks), np.complex128)
        self.total = np.empty((bins, left, right), np.complex128)
        self.product = np.empty_like(self.total)

    def __call__(self, left: Sequence[Array], right: Sequence[Array]) -> Array:
        """Correlations at all lags, (left, right, lags).

        Args:
            left: x, signals of (samples,) each.
            right: y.
        """
        self.total.fill(0)
        for start in range(0, len(left[0]), self.blocks * self.step):
            self._transform(left, start, self.step, self.x)
            self._transform(right, start, self.size, self.y)
            np.matmul(np.conjugate(self.x, out=self.x), self.y.swapaxes(1, 2), out=self.product)
            self.total += self.product
        lagged = np.empty((*self.total.shape[1:], self.lags))
        for row, spectra in zip(lagged, self.total.swapaxes(0, 1), strict=True):
            row[:] = irfft(spectra.T, self.size)[:, : self.lags]
        return lagged

    def _transform(
        self, signals: Sequence[Array], start: int, length: int, spectra: Spectra
    ) -> None:
        """Spectra of blocks of `length` samples, zeros after the end of a signal."""
        padded = np.zeros((self.blocks - 1) * self.step + length)
        blocks = sliding_window_view(padded, length)[:: self.step]
        for at, signal in enumerate(signals):
            piece = signal[start : start + len(padded)]
            padded[: len(piece)] = piece
            spectra[:, at] = rfft(blocks, self.size).T


def correlations(left: Sequence[Array], right: Sequence[Array], lags: int) -> Array:
    """Correlations of one set of signals; see `Correlator`."""
    return Correlator(len(left), len(right), len(left[0]), lags)(left, right)


def across(
    left: Sequence[Array], right: Sequence[Array], pieces: Sequence[slice], lags: int
) -> Array:
    """What the pieces' own correlations miss of the whole's: pairs that a border parts.

    For pieces that lie end to end, correlations of the whole are the sum over pieces of
    their own, and these. At a border only the last `lags - 1` samples before it can meet those
    after it. Such neighbourhoods, each with the left signal's half after the border and the
    right signal's half before it silent, are strung together: `lags` do not reach from one
    to the next.

    Returns:
        (left, right, lags).
    """
    reach = lags - 1
    shape = len(pieces), 2, reach
    before, after = (np.zeros((len(rows), *shape)) for rows in (left, right))
    for at, piece in enumerate(pieces):
        tail = slice(max(piece.start, piece.stop - reach), piece.stop)
        for i, signal in enumerate(left):
            before[i, at, 0, reach - (tail.stop - tail.start) :] = signal[tail]
        for j, signal in enumerate(right):
            head = signal[piece.stop : piece.stop + reach]
            after[j, at, 1, : len(head)] = head
    return correlations([*before.reshape(len(left), -1)], [*after.reshape(len(right), -1)], lags)
