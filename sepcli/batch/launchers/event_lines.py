"""Events as lines of a file, for workers that no pipe reaches."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter

from sepcli.batch.launchers.crew import Item
from sepcli.errors import SepcliError
from sepcli.separation.events import Event

END = b"{}\n"  # of a chunk
EVENTS: dict[str, TypeAdapter[Event]] = {
    kind.__name__: TypeAdapter(kind) for kind in get_args(Event)
}


class EventWriter:
    """Appends to a file, a line at a time.

    Args:
        path: of the file, in a folder that is there.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, item: Item) -> None:
        """Append an event, or why there is none."""
        os.write(self._file, json.dumps(encoded(item)).encode() + b"\n")

    def end(self) -> None:
        """Say that the chunk is done."""
        os.write(self._file, END)

    def close(self) -> None:
        """Leave the file to its reader."""
        os.close(self._file)


class EventReader:
    """Reads a file while it grows.

    Args:
        path: of the file, which need not be there yet.

    Attributes:
        ended: whether the last line was read.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._offset = path, 0
        self.ended = False

    def read(self) -> Iterator[Item]:
        """What has been added since, in whole lines."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                if line == END:
                    self.ended = True
                else:
                    yield decoded(json.loads(line))


def encoded(item: Item) -> dict[str, Any]:
    """An item in JSON's types."""
    if isinstance(item, SepcliError):
        return {"error": str(item), "help": item.remedy, "exit_code": item.exit_code}
    return {"event": type(item).__name__, **asdict(item)}


def decoded(line: dict[str, Any]) -> Item:
    """The item of what `encoded` gave; of errors, the class is not kept."""
    if "event" not in line:
        error = SepcliError(line["error"], line["help"])
        error.exit_code = line["exit_code"]
        return error
    event: Event = EVENTS[line.pop("event")].validate_python(line)
    return event
