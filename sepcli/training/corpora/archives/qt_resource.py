"""Qt's binary resources (.rcc): a tree of names with contents.

All numbers are big-endian. The header names where the tree, the contents and the names begin. The
tree's nodes stand in one table: a folder has the number of its children and the first one's index,
a file the place of its content. Layout: `QResourceRoot` in qresource.cpp of Qt.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from sepcli.errors import ItemError

HEADER = struct.Struct(">4s4I")  # "qres", version, places of the tree, the contents, the names
NODE = struct.Struct(">IHII")  # name's place, flags, then two numbers that depend on the kind
DATED = 8  # bytes that a node has more from version 2 on: when the file was changed
COMPRESSED, FOLDER, ZSTANDARD = 1, 2, 4  # flags
LENGTH = struct.Struct(">I")
HASHED = 6  # bytes of a name before its characters: length and hash


def read_qt_resource(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The files of a resource, named by their paths.

    Raises:
        ItemError: if it is no resource, or is cut short, or uses Zstandard compression.
    """
    if not data.startswith(b"qres"):
        raise ItemError("not a Qt resource file", "get the package again")
    try:
        _, version, tree, contents, names = HEADER.unpack_from(data)
        node = NODE.size + (DATED if version >= 2 else 0)
        yield from _Resource(data, tree, node, contents, names).files(0, "")
    except (struct.error, zlib.error, RecursionError) as error:
        raise ItemError(f"damaged Qt resource: {error}", "get the package again") from error


@dataclass(frozen=True)
class _Resource:
    data: bytes
    tree: int  # where it begins; so for contents and names
    node: int  # bytes of a node
    contents: int
    names: int

    def files(self, index: int, path: str) -> Iterator[tuple[str, bytes]]:
        """All files below a node; the root, node 0, has no name."""
        _, flags, first, second = NODE.unpack_from(self.data, self.tree + index * self.node)
        if not flags & FOLDER:
            yield path, self._content(flags, second)
            return
        for child in range(second, second + first):
            (place, *_) = NODE.unpack_from(self.data, self.tree + child * self.node)
            yield from self.files(child, f"{path}/{self._name(place)}".lstrip("/"))

    def _name(self, place: int) -> str:
        start = self.names + place
        (length,) = struct.unpack_from(">H", self.data, start)
        characters = self.data[start + HASHED : start + HASHED + 2 * length]
        return characters.decode("utf-16-be", errors="replace")

    def _content(self, flags: int, place: int) -> bytes:
        start = self.contents + place
        (size,) = LENGTH.unpack_from(self.data, start)
        content = self.data[start + LENGTH.size : start + LENGTH.size + size]
        if flags & ZSTANDARD:
            raise ItemError("a Qt resource compressed by Zstandard", "rebuild it with zlib")
        return zlib.decompress(content[LENGTH.size :]) if flags & COMPRESSED else content
