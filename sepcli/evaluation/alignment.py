"""Is an estimate late, turned over, or at another level than its reference?

The cross-correlation c(d) = sum_t <e(t), s(t - d)>, over channels and time, peaks at the delay d
of the estimate e. Normalised by the energies that meet at that delay,

    rho(d) = c(d) / sqrt( |e|^2 |s_d|^2 ),   s_d(t) = s(t - d),

rho^2 is the share of the estimate's energy that a scaled s_d explains, and 1 - rho^2 the rest; the
SI-SDR at that delay is 10 log10( rho^2 / (1 - rho^2) ). A wrong delay is told from an honest
but poor estimate by the rest: alignment removes much of it in the first case only.

Long files are judged by excerpts, spread evenly, so that time and memory are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from sepcli.evaluation.scene import Array

LONGEST = 0.5  # seconds; largest delay that is looked for
EXCERPT = 5.0  # seconds
EXCERPTS = 12  # a minute in all
FLOOR = 1e-9  # of the energy: a rest below -90 dB is none


@dataclass(frozen=True)
class Fit:
    """How an estimate lies to its reference at one delay.

    Attributes:
        delay: samples; positive if the estimate is late.
        rho: normalised correlation, -1 to 1.
        gain: a of the SI-SDR, <e, s_d> / |s_d|^2: negative if turned over.
    """

    delay: int
    rho: float
    gain: float

    @property
    def rest(self) -> float:
        """Share of the estimate's energy that is not its reference's."""
        return max(1 - self.rho**2, FLOOR)

    @property
    def si_sdr(self) -> float:
        """dB; minus infinite without any correlation."""
        with np.errstate(divide="ignore"):
            return float(10 * np.log10(self.rho**2 / self.rest))

    @property
    def loudest(self) -> float:
        """|e|^2 / |<e, s_d>|: the gain if all that is wrong were lost sound, not added noise.

        The least-squares gain `gain` is right if the error is noise, orthogonal to s; this one,
        its counterpart with e and s exchanged, is right if it is orthogonal to e, as Wiener
        filters leave it. A level between the two has an honest explanation.
        """
        return abs(self.gain) / self.rho**2 if self.rho else np.inf


@dataclass(frozen=True)
class Correlation:
    """Cross-correlation of an excerpt, or the sum of several.

    Attributes:
        start: of the excerpt, samples.
        products: (2 D + 1,), c(d) for d from -D to D.
        estimate: energy of the estimate.
        references: (2 D + 1,), energy of the reference that meets it at each delay.
    """

    start: int
    products: Array
    estimate: float
    references: Array

    def at(self, delay: int) -> Fit:
        """The fit at a delay; rho and gain are 0 where either is silent."""
        place = delay + len(self.products) // 2
        product, energy = float(self.products[place]), float(self.references[place])
        if not self.estimate * energy:
            return Fit(delay, 0.0, 0.0)
        rho = product / np.sqrt(self.estimate * energy)
        return Fit(delay, float(np.clip(rho, -1, 1)), product / energy)

    def best(self) -> Fit:
        """The fit at the delay where |rho| is largest; of equals, the smallest delay."""
        squares = np.square(self.products)
        shares = np.divide(
            squares, self.references, out=np.zeros_like(squares), where=self.references > 0
        )
        middle = len(shares) // 2
        peaks = np.flatnonzero(shares >= shares.max() * (1 - 1e-12)) - middle
        return self.at(int(peaks[np.argmin(np.abs(peaks))]))


def total(parts: list[Correlation]) -> Correlation:
    """Of all excerpts together."""
    return Correlation(
        parts[0].start,
        np.sum([part.products for part in parts], axis=0),
        sum(part.estimate for part in parts),
        np.sum([part.references for part in parts], axis=0),
    )


def correlations(reference: Array, estimate: Array, rate: int) -> list[Correlation]:
    """Of every excerpt.

    Args:
        reference: (channels, samples).
        estimate: the same shape.
        rate: Hz.
    """
    longest, length = round(LONGEST * rate), round(EXCERPT * rate)
    padded = np.pad(reference, ((0, 0), (longest, longest)))
    return [
        _correlate(padded[:, start : stop + 2 * longest], estimate[:, start:stop], start)
        for start, stop in excerpts(reference.shape[-1], length)
    ]


def excerpts(samples: int, length: int) -> Iterator[tuple[int, int]]:
    """Starts and ends: all of a short file, one after the other, or some of a long one."""
    count = -(-samples // length)
    if count <= EXCERPTS:
        starts = length * np.arange(count)
    else:
        starts = np.linspace(0, samples - length, EXCERPTS).round().astype(int)
    return ((int(start), min(int(start) + length, samples)) for start in starts)


def _correlate(reference: Array, estimate: Array, start: int) -> Correlation:
    """Of an estimate (channels, n) and its reference (channels, n + 2 D), D samples more each way.

    With m = D - d >= 0, s(t - d) is the reference's sample t + m, so that c(d) is the circular
    correlation at m, which does not wrap in n + 2 D samples.
    """
    samples, longer = estimate.shape[-1], reference.shape[-1]
    size = next_fast_len(longer, real=True)
    spectrum = rfft(reference, size) * np.conj(rfft(estimate, size))
    products = irfft(spectrum.sum(axis=0), size)[: longer - samples + 1]
    energies = np.concatenate([[0.0], np.cumsum(np.square(reference).sum(axis=0))])
    windows = energies[samples:] - energies[: longer - samples + 1]
    return Correlation(
        start, products[::-1], float(np.square(estimate).sum()), np.maximum(windows, 0)[::-1]
    )
