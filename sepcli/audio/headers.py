"""What the headers of uncompressed recordings promise of their samples.

Decoders give the samples that they find, and keep to themselves that more were promised: of a
download that broke off, or a recorder whose battery did. So the headers of WAV (RIFF and RIFX),
RF64, W64 and AIFF are read here once more, for nothing but that promise.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE  # codings of WAV in which every sample takes the same space
PLAIN_AIFC = {b"NONE", b"sowt", b"twos", b"raw ", b"in24", b"in32", b"fl32", b"FL32", b"fl64"}
UNKNOWN = {0xFFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF}  # sizes that streams write
MOST_CHUNKS = 100_000
HEADER = 64  # bytes of a chunk that are read, enough for all that describe a sound
W64_ID, W64_HEAD = 16, 24  # bytes of a chunk's name, and of its name and size
SSND_HEAD = 8  # bytes of a sound chunk before its sound


@dataclass(frozen=True)
class Promise:
    """What a header says of the samples.

    Attributes:
        start: byte at which they begin.
        size: bytes of all of them; None if that was left open.
        block: bytes of one sample of all channels; 0 if the header contradicts itself.
        byte_rate: bytes a second; None if it is not said.
        more: bytes after them that belong to no chunk.
    """

    start: int
    size: int | None
    block: int
    byte_rate: int | None = None
    more: int = 0


@dataclass(frozen=True)
class Chunk:
    """A part of a file: its name, where its content begins, its size, and its first bytes."""

    name: bytes
    start: int
    size: int
    head: bytes


def promise_of(path: Path) -> Promise | None:
    """The promise of a recording; None if it is compressed, of another format, or has no samples.

    Raises:
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(W64_ID)
        try:
            match head[:4]:
                case b"RIFF" | b"RF64" | b"BW64":
                    return _wav(file, _chunks(file, "<"), "<")
                case b"RIFX":
                    return _wav(file, _chunks(file, ">"), ">")
                case b"riff":
                    return _wav(file, _w64_chunks(file), "<")
                case b"FORM":
                    return _aiff(_chunks(file, ">"))
        except struct.error:  # a chunk that is too short for what it should say
            return None
    return None


def _chunks(file: BinaryIO, order: str) -> Iterator[Chunk]:
    at = 12  # after the name of the file's format
    for _ in range(MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        name, size = struct.unpack(f"{order}4sI", head)
        yield Chunk(name, at + 8, size, file.read(min(size, HEADER)))
        at += 8 + size + size % 2


def _w64_chunks(file: BinaryIO) -> Iterator[Chunk]:
    at = W64_HEAD + W64_ID
    for _ in range(MOST_CHUNKS):
        file.seek(at)
        head = file.read(W64_HEAD)
        if len(head) < W64_HEAD:
            return
        size = max(0, struct.unpack("<Q", head[W64_ID:])[0] - W64_HEAD)
        yield Chunk(head[:4], at + W64_HEAD, size, file.read(min(size, HEADER)))
        at += W64_HEAD + size + -size % 8


def _wav(file: BinaryIO, chunks: Iterator[Chunk], order: str) -> Promise | None:
    described: tuple[int, int] | None = None
    long_size = None
    for chunk in chunks:
        if chunk.name == b"ds64":
            long_size = struct.unpack_from("<Q", chunk.head, 8)[0]
        elif chunk.name == b"fmt ":
            described = _coding(chunk.head, order)
        elif chunk.name == b"data" and described:
            size = long_size if chunk.size in UNKNOWN and long_size else chunk.size
            known = None if size in UNKNOWN else size
            more = 0 if known is None else _more(file, chunk.start + size + size % 2)
            return Promise(chunk.start, known, *described, more)
    return None


def _coding(head: bytes, order: str) -> tuple[int, int] | None:
    """Block size and byte rate of a WAV; None if its samples are compressed."""
    tag, channels, _, byte_rate, block, bits = struct.unpack_from(f"{order}HHIIHH", head)
    if tag == EXTENSIBLE:
        tag = struct.unpack_from(f"{order}H", head, 24)[0]
    if tag not in (PCM, FLOAT):
        return None
    fits = block == channels * -(-bits // 8)
    float_of_cool_edit = bits == 24 and block == 4 * channels
    return (block if fits or float_of_cool_edit else 0), byte_rate


def _more(file: BinaryIO, end: int) -> int:
    """Bytes after the samples that are no further chunk."""
    length = file.seek(0, 2)
    file.seek(min(end, length))
    name = file.read(4)
    return 0 if name.isascii() and name.decode("ascii").isprintable() else length - end


def _aiff(chunks: Iterator[Chunk]) -> Promise | None:
    frames = block = None
    for chunk in chunks:
        if chunk.name == b"COMM":
            channels, frames, bits = struct.unpack_from(">hIh", chunk.head)
            block = max(0, channels * -(-bits // 8))
            if len(chunk.head) >= 22 and chunk.head[18:22] not in PLAIN_AIFC:
                return None
        elif chunk.name == b"SSND" and block is not None and frames is not None:
            return Promise(chunk.start, max(chunk.size - SSND_HEAD, frames * block), block)
    return None
