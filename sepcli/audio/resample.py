"""Sample rate conversion of streams, by soxr.

A stream converted there and back has the length it had, to the sample.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import soxr
from numpy.typing import NDArray

Wave = NDArray[np.float32]  # (samples, channels)


def resampled(blocks: Iterable[Wave], rate: int, target: int, channels: int) -> Iterator[Wave]:
    """Convert blocks (samples, channels) from `rate` to `target` Hz."""
    if rate == target:
        yield from blocks
        return
    stream = soxr.ResampleStream(rate, target, channels, dtype="float32", quality="VHQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros((0, channels), np.float32), last=True)


class StemResampler:
    """Converts several stems side by side, and fits them to a length known in the end.

    Args:
        stems: how many.
        channels: of each.
        rate: what comes in, Hz.
        target: what goes out, Hz.
    """

    def __init__(self, stems: int, channels: int, rate: int, target: int) -> None:
        self._shape = (stems, channels)
        self._stream = None
        if rate != target:
            self._stream = soxr.ResampleStream(rate, target, stems * channels, "float32", "VHQ")

    def add(self, stems: NDArray[np.float32], last: bool) -> NDArray[np.float32]:
        """(stems, samples, channels) -> the same at the target rate, as far as it is ready."""
        if self._stream is None:
            return stems
        flat = np.ascontiguousarray(stems.transpose(1, 0, 2).reshape(stems.shape[1], -1))
        converted = self._stream.resample_chunk(flat, last=last)
        back: NDArray[np.float32] = converted.reshape(-1, *self._shape).transpose(1, 0, 2)
        return back
