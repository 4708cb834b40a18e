"""The checksum that a FLAC carries of its sound: MD5 of all samples as integers.

Every frame has a checksum of its own, which decoders verify. This one also tells whether a frame
is missing, or the header was changed. See RFC 9639, section 8.2.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]  # (samples, channels)

HEADER = 42  # bytes of the marker, and of the block that describes the stream
BITS, MD5 = 20, 26  # offsets in it
WIDTHS = {8: "<i1", 16: "<i2", 24: "<i4"}  # integers that hold samples of so many bits


class Checksum:
    """Compares samples with what a FLAC says of them.

    Args:
        path: of the FLAC; if it gives no checksum, or has an unusual depth, anything will do.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            header = file.read(HEADER)
        self._digest = hashlib.md5(usedforsecurity=False)
        self._bits, self._wanted = _described(header)

    def add(self, block: Wave) -> None:
        """Take the next samples in, full scale at 1."""
        if not self._wanted:
            return
        whole = (block * 2.0 ** (self._bits - 1)).astype(WIDTHS[self._bits])
        if self._bits == 24:
            whole = whole.view(np.uint8).reshape(*whole.shape, 4)[..., :3]
        self._digest.update(whole.tobytes())

    def agrees(self) -> bool:
        """Whether the samples are the ones that were encoded."""
        return not self._wanted or self._digest.digest() == self._wanted


def _described(header: bytes) -> tuple[int, bytes]:
    """Bits of a sample, and the checksum; empty if there is none to compare with."""
    if len(header) < HEADER or not header.startswith(b"fLaC"):
        return 0, b""
    bits = ((header[BITS] & 1) << 4 | header[BITS + 1] >> 4) + 1
    given = header[MD5:HEADER]
    return bits, given if any(given) and bits in WIDTHS else b""
