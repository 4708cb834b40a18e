"""Pictures of sounds: level over time and logarithmic frequency, as PNG files."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sepcli.evaluation.scene import Array

COLUMNS, LINES = 400, 144  # pixels
LOWEST, HIGHEST = 50.0, 20_000.0  # Hz
RANGE = 70.0  # dB from the brightest to the darkest colour
SHADES = 64
WINDOW = 0.046  # seconds: resolves the partials of a low voice, blurs a click by 20 ms
TINY = 1e-30  # power below any sample's last bit, so that silence has a level

# Dark to bright with evenly growing lightness, so that equal steps of level look equal.
ANCHORS = np.array(
    [[13, 12, 29], [64, 26, 98], [142, 42, 108], [215, 81, 84], [247, 158, 88], [252, 238, 190]],
    dtype=np.float64,
)

Levels = NDArray[np.float64]


def highest(rate: int) -> float:
    """Frequency at the upper edge, Hz."""
    return min(rate / 2, HIGHEST)


def levels(wave: Array, rate: int) -> Levels:
    """Level of each band at each time, dB.

    A band's power is the difference of the cumulated spectrum at its edges. Between bins the
    sum is interpolated, so that bands narrower than a bin share its power and bands wider than
    a bin add all of theirs: no partial falls between two lines.

    Args:
        wave: (channels, samples).
        rate: Hz.

    Returns:
        (LINES, COLUMNS), the lowest band first.
    """
    power = _power(wave.mean(axis=0), rate)
    size = power.shape[1] - 1
    below = np.concatenate([np.zeros((len(power), 1)), np.cumsum(power, axis=1)], axis=1)
    edges = np.geomspace(LOWEST, highest(rate), LINES + 1) / (rate / 2) * size + 0.5
    cumulated = np.stack([np.interp(edges, np.arange(size + 2), line) for line in below])
    bands = np.maximum(np.diff(cumulated, axis=1) / np.diff(edges), 0)
    decibels: Levels = 10 * np.log10(bands.T + TINY)
    return decibels


def _power(wave: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """(COLUMNS, bins) of frames centred at even distances from first to last sample."""
    half = 2 ** round(np.log2(WINDOW * rate / 2))
    window = np.hanning(2 * half + 1)[:-1]
    padded = np.pad(wave, half)
    starts = np.linspace(0, len(wave) - 1, COLUMNS).astype(int)
    frames = np.stack([padded[start : start + 2 * half] for start in starts]) * window
    spectrum: NDArray[np.float64] = np.abs(np.fft.rfft(frames)) ** 2 / np.sum(window) ** 2
    return spectrum


def pictures(waves: Sequence[Array], rate: int) -> list[bytes]:
    """PNG files of several sounds with one scale of colours, so that they can be compared.

    Args:
        waves: each (channels, samples).
        rate: Hz.
    """
    all_levels = [levels(wave, rate) for wave in waves]
    loudest = max(float(each.max()) for each in all_levels)
    return [png(_shades(each, loudest)) for each in all_levels]


def _shades(decibels: Levels, loudest: float) -> NDArray[np.uint8]:
    parts = (decibels - loudest) / RANGE + 1
    return np.round(np.clip(parts, 0, 1) * (SHADES - 1)).astype(np.uint8)[::-1]


def png(shades: NDArray[np.uint8]) -> bytes:
    """(lines, columns) of numbers below SHADES as an indexed-colour PNG (ISO/IEC 15948)."""
    lines, columns = shades.shape
    header = struct.pack(">IIBBBBB", columns, lines, 8, 3, 0, 0, 0)  # 8 bits, palette
    unfiltered = np.pad(shades, ((0, 0), (1, 0)))  # every line begins with its filter, none
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, data)
        for kind, data in (
            (b"IHDR", header),
            (b"PLTE", _palette()),
            (b"IDAT", zlib.compress(unfiltered.tobytes(), 9)),
            (b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _palette() -> bytes:
    at = np.linspace(0, len(ANCHORS) - 1, SHADES)
    channels = [np.interp(at, np.arange(len(ANCHORS)), column) for column in ANCHORS.T]
    return np.round(channels).T.astype(np.uint8).tobytes()
