"""Any archive's members, by their names.

Members are read into memory and nothing is written, so a name such as `../../x` leads nowhere.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from sepcli.errors import ItemError
from sepcli.training.corpora.archives.c4group import read_c4group
from sepcli.training.corpora.archives.qt_resource import read_qt_resource
from sepcli.training.corpora.archives.sample_cat import read_sample_cat

READERS: dict[str, Callable[[bytes], Iterator[tuple[str, bytes]]]] = {
    ".ocg": read_c4group,
    ".ocd": read_c4group,
    ".ocf": read_c4group,
    ".cat": read_sample_cat,
    ".rcc": read_qt_resource,
}


def read_members(archive: Path, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Those wanted members that an archive has, in its own order.

    Args:
        archive: its suffix decides how it is read; without one of READERS it is a ZIP file.
        wanted: names of members.

    Yields:
        name and content.

    Raises:
        ItemError: if the archive is damaged.
    """
    read = READERS.get(archive.suffix.lower())
    if read is None:
        yield from _zipped(archive, wanted)
        return
    for name, content in read(archive.read_bytes()):
        if name in wanted:
            yield name, content


def _zipped(archive: Path, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(archive) as file:
            for name in file.namelist():
                if name in wanted:
                    yield name, file.read(name)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
        message = f"damaged archive {archive.name}: {error}"
        raise ItemError(message, "get the package again") from error
