"""Transport Tycoon's sound sets (.cat), as OpenTTD reads them: WAV files behind a table.

The table holds an offset and a size for every sound; the first offset is also the table's length,
less its top bit, which marks newer sets. At its offset a sound has a name (a length byte and as
many characters) and then a RIFF file. Sounds are known by their numbers; their names are prose.
Layout: `OpenBankFile` in sound.cpp of OpenTTD.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from sepcli.errors import ItemError

ROW = struct.Struct("<II")  # offset, size
NEWER = 1 << 31
RIFF = struct.Struct("<4sI")  # "RIFF", bytes that follow


def read_sample_cat(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The WAV files of a sound set, named by their numbers from 0.

    Raises:
        ItemError: if it is no sound set, or is cut short.
    """
    try:
        table = ROW.unpack_from(data)[0] & ~NEWER
        for number in range(table // ROW.size):
            offset = ROW.unpack_from(data, number * ROW.size)[0] & ~NEWER
            start = offset + 1 + data[offset]
            magic, size = RIFF.unpack_from(data, start)
            if magic != b"RIFF":
                raise ItemError(f"no WAV file as sound {number}", "get the package again")
            yield str(number), data[start : start + RIFF.size + size]
    except (struct.error, IndexError) as error:
        raise ItemError(f"damaged sound set: {error}", "get the package again") from error
