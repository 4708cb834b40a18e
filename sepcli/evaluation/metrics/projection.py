"""Least-squares projection of a signal on all short delays of other signals.

With x_i(n - a), i = 1 ... K and a = 0 ... taps - 1, as a basis, the projection of e is

    (P e)(n) = sum_i sum_a h_i(a) x_i(n - a),    G h = d,
    G[(i, a), (j, b)] = <x_i(. - a), x_j(. - b)> = r_ij(a - b),    d[(i, a)] = <x_i(. - a), e>,

all signals being followed by `taps - 1` zeros (Vincent et al., 2006, "Performance measurement in
blind audio source separation", section III.B). G is a matrix of Toeplitz blocks, symmetric and
positive semidefinite. With its Cholesky factor, G = L L', the energy of the projection needs no
filters: |P e|^2 = h' G h = |L^-1 d|^2.

Every signal is first brought to unit energy, so that a quiet one is not mistaken for linear
dependence. A silent signal spans nothing; it is given a basis of its own that is orthogonal to
all else, and its filters come out as zero. If signals are linearly dependent (stereo with two
equal channels), the filters are not unique but the projection is; G then gets a loading just
large enough for the factorisation.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.linalg import cho_solve, solve_triangular
from scipy.linalg.lapack import dlange, dpocon, dpotrf

from sepcli.evaluation.scene import Array

TAPS = 512  # samples; of BSS Eval's filters, at any sample rate
LOADINGS = (0.0, 1e-14, 1e-12, 1e-10, 1e-8, 1e-6)
"""Tried in turn. Rounding moves an eigenvalue of G, which has ones on its diagonal, by at most
about eps n |G| <= eps n trace(G) = eps n^2: the last is enough for n = 67,000, or 130 signals."""


class IllConditioned(UserWarning):
    """References are linearly dependent up to rounding: ratios above 100 dB mean nothing."""


class Projection:
    """On the delays of K signals.

    Args:
        correlations: of the signals among themselves, (K, K, taps).

    Warns:
        IllConditioned: if G is singular up to rounding.
    """

    def __init__(self, correlations: Array) -> None:
        norms = np.sqrt(np.einsum("iil->il", correlations)[:, 0])
        self.silent = norms == 0
        self.norms = np.where(self.silent, 1.0, norms)
        unit = correlations / (self.norms[:, None, None] * self.norms[:, None])
        unit[self.silent, self.silent, 0] = 1.0
        self.factor = cholesky(unit)

    def energies(self, cross: Array) -> Array:
        """|P e|^2 of M signals, (M,).

        Args:
            cross: correlations of the K signals with the M to be projected, (K, M, taps).
        """
        delays = self._delays(cross)
        solved: Array = solve_triangular(self.factor, delays, lower=True, check_finite=False)
        energies: Array = np.einsum("km,km->m", solved, solved)
        return energies

    def filters(self, cross: Array) -> Array:
        """The filters h of M signals, (K, M, taps).

        Args:
            cross: see `energies`.
        """
        signals, projected, taps = cross.shape
        solved: Array = cho_solve((self.factor, True), self._delays(cross), check_finite=False)
        filters: Array = solved.reshape(signals, taps, projected).swapaxes(1, 2)
        return filters / self.norms[:, None, None]

    def _delays(self, cross: Array) -> Array:
        """Right-hand sides of the scaled system, (K taps, M)."""
        scaled = cross / self.norms[:, None, None]
        return scaled.swapaxes(1, 2).reshape(-1, cross.shape[1])


def gram(correlations: Array) -> Array:
    """G from correlations at lags 0 and up, (K, K, taps) -> (K taps, K taps)."""
    signals, _, taps = correlations.shape
    backwards = np.concatenate(  # r_ij at lags taps - 1 ... 0 ... 1 - taps
        [correlations[..., ::-1], correlations.swapaxes(0, 1)[..., 1:]], axis=-1
    )
    toeplitz = sliding_window_view(backwards, taps, axis=-1)[..., ::-1, :]
    return toeplitz.swapaxes(1, 2).reshape(signals * taps, signals * taps)


def cholesky(correlations: Array) -> Array:
    """Lower factor of G, whose diagonal is one; what is above its diagonal is not part of it.

    Warns:
        IllConditioned: if a loading was needed or the condition number is beyond rounding.
    """
    for loading in LOADINGS:
        loaded = correlations.copy()
        np.einsum("iil->il", loaded)[:, 0] += loading
        matrix = gram(loaded).T  # symmetric: the transpose has LAPACK's order in memory
        norm = dlange("1", matrix)
        factor, failed = dpotrf(matrix, lower=1, overwrite_a=1, clean=0)
        if not failed:
            break
    else:
        raise ArithmeticError(f"no loading up to {LOADINGS[-1]} makes the matrix positive definite")
    reciprocal, _ = dpocon(factor, norm, uplo="L")
    if loading or reciprocal < len(factor) * np.finfo(float).eps:
        message = f"references are nearly dependent (1 / condition number {reciprocal:.0e})"
        warnings.warn(message, IllConditioned, stacklevel=2)
    return np.asarray(factor)
