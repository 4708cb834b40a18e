"""The figures of a run, a line of JSON for each step that is logged."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sepcli.training.loop.files import replace, told_of

DIGITS = 7  # significant; as many as float32 has


class Log:
    """A file that grows, and loses what a resumed run does anew.

    Args:
        path: created with the first line.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = max((float(line["seconds"]) for line in self.lines()), default=0.0)
        self._began = time.monotonic()

    def lines(self) -> Iterator[dict[str, Any]]:
        """What was logged; a last line that was cut short does not count."""
        if self._path.exists():
            whole = self._path.read_bytes().rpartition(b"\n")[0]
            yield from (json.loads(line) for line in whole.splitlines())

    def append(self, step: int, **figures: float) -> None:
        """Add a line: the step, the seconds that the run has taken in all its parts, figures.

        A figure that is not finite becomes null, as JSON has no word for it.

        Raises:
            OutputError: if the disk is full.
        """
        seconds = round(self._before + time.monotonic() - self._began, 1)
        line = {"step": step, "seconds": seconds, **{k: _rounded(v) for k, v in figures.items()}}
        with told_of(self._path), self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def cut(self, step: int) -> None:
        """Remove the lines of later steps.

        Raises:
            OutputError: if the disk is full.
        """
        kept = [line for line in self.lines() if line["step"] <= step]
        if self._path.exists():
            text = "".join(json.dumps(line) + "\n" for line in kept)
            replace(self._path, lambda file: file.write(text.encode()))
        self._before = max((float(line["seconds"]) for line in kept), default=0.0)
        self._began = time.monotonic()


def _rounded(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
