"""Reference systems: what can be had without separating, and what no mask of a kind can beat.

Every system turns references and mixture into estimates that are scored like anyone's:

    mixture          the mixture, as every stem
    mixture-over-n   the mixture divided by the number of stems; these add up to the mixture
    silence          nothing
    oracle-irm       ideal ratio mask, |S_k|^2 / sum_j |S_j|^2 times the mixture's spectrum
    oracle-ibm       ideal binary mask, 1 where |S_k| is at least half of the mixture's magnitude

The masks are those of SiSEC 2018 (Stöter, Liutkus and Ito, "The 2018 Signal Separation
Evaluation Campaign", with the code sigsep-mus-oracle: power 2 for ratios, power 1 and a
threshold of 0.5 for binary masks), each channel on its own. SiSEC's window is 2048 samples of
44.1 kHz, 46 ms, moved by half; at other rates the power of two nearest to that is taken. A
binary mask gives a bin to as many stems as have half of it: to none among many equal ones, to
two or more where phases cancel.

They are blind to phase: estimates keep the mixture's, so that a system which does not may be
better than these "upper limits".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial, reduce

import numpy as np
from numpy.typing import NDArray
from scipy.signal import istft, stft

from sepcli.evaluation.metrics.validation import validate_pair
from sepcli.evaluation.scene import Array, Signal

Spectrum = NDArray[np.complex128]

WINDOW = 2048 / 44100  # seconds
THRESHOLD = 0.5  # of the mixture's magnitude


def reference_systems(
    references: Signal, mixture: Signal, rate: int
) -> Iterator[tuple[str, Array]]:
    """Every reference system's name and estimates, one after another: together they are large.

    Args:
        references: (stems, channels, samples).
        mixture: (channels, samples).
        rate: Hz.

    Yields:
        name, (stems, channels, samples) in float64.

    Raises:
        ItemError: if the shapes do not fit, there are no samples, or a value is NaN or infinite.
    """
    everywhere = np.broadcast_to(mixture, (len(references), *mixture.shape))
    s, x = validate_pair(references, everywhere)
    yield "mixture", x
    yield "mixture-over-n", x / len(s)
    yield "silence", np.zeros_like(s)
    yield "oracle-irm", ratio_masked(s, x[0], rate)
    yield "oracle-ibm", binary_masked(s, x[0], rate)


def ratio_masked(references: Array, mixture: Array, rate: int, power: float = 2.0) -> Array:
    """Estimates by the ideal ratio mask; they add up to the mixture wherever a reference sounds.

    Args:
        references: (stems, channels, samples).
        mixture: (channels, samples).
        rate: Hz.
        power: of the magnitudes; 2 for energies, 1 for magnitudes.

    Returns:
        (stems, channels, samples).
    """
    length = window_length(rate)
    estimates = np.empty_like(references)
    for channel, mixed in enumerate(mixture):
        sources = references[:, channel]
        # Spectra are computed twice rather than kept: a song's would fill a gigabyte.
        total = reduce(np.add, (np.abs(_transform(source, length)) ** power for source in sources))
        mask = partial(_share, total=total, power=power)
        estimates[:, channel] = _masked(sources, mixed, length, mask)
    return estimates


def binary_masked(references: Array, mixture: Array, rate: int) -> Array:
    """Estimates by the ideal binary mask; arguments and result as of `ratio_masked`."""

    length = window_length(rate)
    channels = [
        _masked(references[:, channel], mixed, length, _dominates)
        for channel, mixed in enumerate(mixture)
    ]
    return np.stack(channels, axis=1)


def _share(source: Spectrum, mixed: Spectrum, total: Array, power: float) -> Array:
    """Of all sources' energy; nobody's where none sounds."""
    return np.divide(np.abs(source) ** power, total, out=np.zeros_like(total), where=total > 0)


def _dominates(source: Spectrum, mixed: Spectrum) -> Array:
    return (np.abs(source) >= THRESHOLD * np.abs(mixed)).astype(np.float64)


def _masked(
    sources: Array, mixed: Array, length: int, mask: Callable[[Spectrum, Spectrum], Array]
) -> Array:
    """One channel's estimates, (stems, samples): the mixture times every source's mask."""
    spectrum = _transform(mixed, length)
    waves = [
        istft(mask(_transform(source, length), spectrum) * spectrum, nperseg=length)[1]
        for source in sources
    ]
    return np.stack([np.asarray(wave[: len(mixed)]) for wave in waves])


def _transform(signal: Array, length: int) -> Spectrum:
    """Spectra of Hann windows every half window, (bins, frames)."""
    padded = np.pad(signal, (0, max(0, length - len(signal))))  # scipy would shorten the window
    return np.asarray(stft(padded, nperseg=length)[2])


def window_length(rate: int) -> int:
    """The power of two nearest to 46 ms, in samples."""
    return int(2 ** round(math.log2(WINDOW * rate)))
