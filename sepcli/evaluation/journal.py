"""The rows scored so far, safe against a kill at any moment.

One line holds all rows of an item. A line that was cut short has no end, is not read, and is
taken away before the next one is written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from sepcli.errors import OutputError
from sepcli.evaluation.results import Row, decode, encode


class Journal:
    """A file of finished items.

    Args:
        path: created when the first item is added.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, list[Row]]:
        """Item -> its rows; of two lines about one item, the later counts."""
        if not self._path.exists():
            return {}
        text = self._path.read_text(encoding="utf-8", errors="replace")
        whole = text[: text.rfind("\n") + 1]
        items = [[decode(row) for row in json.loads(line)] for line in whole.splitlines()]
        return {rows[0].item: rows for rows in items if rows}

    def mend(self) -> None:
        """Take away what a kill left of a line."""
        if self._path.exists():
            content = self._path.read_bytes()
            with self._path.open("r+b") as file:
                file.truncate(content.rfind(b"\n") + 1)

    def append(self, rows: Sequence[Row]) -> None:
        """Add an item.

        Raises:
            OutputError: if the disk is full or read-only.
        """
        line = json.dumps([encode(asdict(row)) for row in rows], ensure_ascii=False) + "\n"
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            message = f"cannot write {self._path}: {error.strerror}"
            raise OutputError(message, "free some space, and go on with --resume") from error

    def remove(self) -> None:
        """Delete the file: all is said in the final ones."""
        self._path.unlink(missing_ok=True)
