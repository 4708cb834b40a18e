"""What can be compared: a run's folder, or a file that others published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sepcli.errors import UsageError
from sepcli.evaluation.published import read_published
from sepcli.evaluation.results import SYSTEM, Row, read_rows

ROWS, SUMMARY = "rows.jsonl", "summary.json"


@dataclass(frozen=True)
class Run:
    """Figures of one system.

    Attributes:
        name: for people.
        rows: of the system under test.
        summary: None for a published file.
    """

    name: str
    rows: tuple[Row, ...]
    summary: Mapping[str, Any] | None

    @property
    def protocol(self) -> str | None:
        """Id of the protocol, if it is known."""
        return None if self.summary is None else str(self.summary["protocol"]["id"])

    @property
    def items_hash(self) -> str | None:
        """Of the items that were scored, if it is known."""
        return None if self.summary is None else str(self.summary["items_hash"])


def read_run(path: Path) -> Run:
    """A run's folder, or a published CSV file.

    Args:
        path: of either; a file with several methods is followed by # and the method's name.

    Raises:
        UsageError: if it is neither, or broken.
    """
    if path.is_dir():
        return _read_folder(path)
    if path.exists() or "#" not in path.name:
        return Run(path.name, tuple(read_published(path)), None)
    name, _, method = path.name.rpartition("#")
    return Run(path.name, tuple(read_published(path.with_name(name), method)), None)


def _read_folder(folder: Path) -> Run:
    try:
        summary = json.loads((folder / SUMMARY).read_text("utf-8"))
        rows = tuple(row for row in read_rows(folder / ROWS) if row.system == SYSTEM)
        return Run(folder.resolve().name, rows, _checked(summary))
    except FileNotFoundError as error:
        message = f"{folder} is no finished run: it has no {Path(error.filename).name}"
        raise UsageError(message, "finish it with `sepcli eval --resume`") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{folder} is no run, or is broken ({error})", "score again") from error


def _checked(summary: Mapping[str, Any]) -> Mapping[str, Any]:
    """A summary that says what comparing asks of it.

    Raises:
        KeyError: if it does not.
    """
    for key in ("protocol", "items_hash", "columns", "headline"):
        summary[key]
    summary["protocol"]["id"]
    return summary
