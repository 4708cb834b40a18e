"""Whether all pages of an Ogg are there and whole.

Decoders leave a damaged page out and fill or close the gap, so that nobody notices. Every page
has a number and a checksum, and the last says that it is the last: RFC 3533, section 6.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

HEAD = struct.Struct("<4sBBqIIIB")  # marker, version, flags, granule, serial, number, CRC, segments
MARKER, FIRST, LAST = b"OggS", 2, 4
CHECKSUM = slice(22, 26)  # where it stands in a page, which has zeros there while it is computed
MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
ONES = 0xFFFF_FFFF


@dataclass(frozen=True)
class Survey:
    """What is to be said of an Ogg's pages.

    Attributes:
        whole: whether none is damaged or missing in the middle.
        ended: whether the last one is there.
        more: whether another recording follows.
    """

    whole: bool
    ended: bool
    more: bool


@dataclass(frozen=True)
class Page:
    """A page, without its content."""

    serial: int
    number: int
    flags: int
    good: bool  # its checksum


def survey(path: Path) -> Survey:
    """Read all pages of an Ogg's first stream.

    Raises:
        OSError: if it cannot be read.
    """
    serial, number, ended, whole = None, 0, False, True
    with path.open("rb") as file:
        for page in _pages(file):
            if ended and page.flags & FIRST:
                return Survey(whole, ended, more=True)
            serial = page.serial if serial is None else serial
            if page.serial == serial and not ended:
                whole &= page.good and page.number == number
                number, ended = page.number + 1, bool(page.flags & LAST)
        junk = not ended and len(file.read(HEAD.size)) == HEAD.size
    return Survey(whole and not junk, ended, more=False)


def _pages(file: BinaryIO) -> Iterator[Page]:
    """Pages, until one is cut off or none begins where the last one ends."""
    while len(head := file.read(HEAD.size)) == HEAD.size and head.startswith(MARKER):
        _, _, flags, _, serial, number, given, segments = HEAD.unpack(head)
        sizes = file.read(segments)
        body = file.read(sum(sizes))
        if len(sizes) < segments or len(body) < sum(sizes):
            return
        zeroed = head[: CHECKSUM.start] + bytes(4) + head[CHECKSUM.stop :]
        yield Page(serial, number, flags, checksum(zeroed + sizes + body) == given)
    file.seek(-len(head), 1)


def checksum(page: bytes) -> int:
    """CRC-32 of Ogg: zlib's polynomial, but with the bits of every byte in the other order."""
    mirrored = zlib.crc32(page.translate(MIRRORED), ONES) ^ ONES
    return int(f"{mirrored:032b}"[::-1], 2)
