"""Clonk's group files (.ocg, .ocd, .ocf): groups in groups, the outermost one compressed.

The outermost group is a gzip stream whose two magic bytes are changed. A group is a header of 204
bytes, a table of 316 bytes for each entry, and the entries' contents; an entry may be a group
itself. Layout: C4Group.h of OpenClonk.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator

from sepcli.errors import ItemError

MAGIC = b"\x1e\x8c"  # where gzip has 1f 8b
ID = b"RedWolf Design GrpFolder"
HEADER, ENTRY = 204, 316  # bytes
COUNT_AT = 36  # in the header: entries, int32
NAME, FIELDS = 260, struct.Struct("<5i")  # packed, is a group, size, reserved, offset


def read_c4group(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The files of a group and of the groups in it, named by their paths.

    Raises:
        ItemError: if it is no group, or is cut short.
    """
    if not data.startswith(MAGIC):
        raise ItemError("not a Clonk group file", "get the package again")
    try:
        whole = gzip.decompress(b"\x1f\x8b" + data[2:])
        yield from _entries(whole, "")
    except (OSError, EOFError, zlib.error, struct.error, RecursionError) as error:
        raise ItemError(f"damaged Clonk group file: {error}", "get the package again") from error


def _entries(group: bytes, prefix: str) -> Iterator[tuple[str, bytes]]:
    header = descrambled(group[:HEADER])
    if not header.startswith(ID):
        raise ItemError(f"no Clonk group at {prefix or 'its start'}", "get the package again")
    (count,) = struct.unpack_from("<i", header, COUNT_AT)
    contents = HEADER + count * ENTRY
    for at in range(HEADER, contents, ENTRY):
        name = prefix + group[at : at + NAME].split(b"\0")[0].decode("latin-1")
        _, is_group, size, _, offset = FIELDS.unpack_from(group, at + NAME)
        content = group[contents + offset : contents + offset + size]
        if is_group:
            yield from _entries(content, f"{name}/")
        else:
            yield name, content


def descrambled(header: bytes) -> bytes:
    """A group's header in clear: bits inverted, and of every three bytes the outer two swapped.

    The second application undoes the first.
    """
    clear = bytearray(byte ^ 0xED for byte in header)
    for at in range(0, len(clear) - 2, 3):
        clear[at], clear[at + 2] = clear[at + 2], clear[at]
    return bytes(clear)
