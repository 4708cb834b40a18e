"""Stems as floats, kept until their last sample is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray

Stems = NDArray[np.float32]  # (stems, samples, channels)


class KeptFloats:
    """Stems one block after another.

    Args:
        file: that keeps them.
        stems: in every block.
        channels: of every stem.
    """

    def __init__(self, file: IO[bytes], stems: int, channels: int) -> None:
        self._file, self._frame = file, (stems, channels)

    def write(self, stems: Stems) -> None:
        """Append (stems, samples, channels).

        Raises:
            OSError: if the disk is full.
        """
        self._file.write(np.ascontiguousarray(stems.swapaxes(0, 1), np.float32).tobytes())

    def blocks(self, samples: int) -> Iterator[Stems]:
        """All that was written, as (stems, samples, channels), so many samples at a time."""
        self._file.seek(0)
        width = np.dtype(np.float32).itemsize * self._frame[0] * self._frame[1]
        while data := self._file.read(samples * width):
            yield np.frombuffer(data, np.float32).reshape(-1, *self._frame).swapaxes(0, 1)
