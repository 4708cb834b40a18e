"""Names of sounds to listen for: given in a line, listed in a file, or all of AudioSet's."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from sepcli.errors import UsageError

AUDIOSET = "shipped/audioset_labels.csv"  # in the package
COLUMNS = ("display_name", "label")  # of a CSV, the first that it has


@cache
def audioset_names() -> tuple[str, ...]:
    """The display names of AudioSet's 527 classes, in their order.

    The list is Google's (Gemmeke et al., 2017), under CC BY 4.0.
    """
    with resources.as_file(resources.files("sepcli") / AUDIOSET) as path:
        return unique(read_labels(path))


def wanted_labels(given: str, listed: Path | None) -> tuple[str, ...]:
    """Labels of a line, parted by commas, and of a file.

    Raises:
        UsageError: if there are none, or the file cannot be read.
    """
    labels = unique([*given.split(","), *(read_labels(listed) if listed else ())])
    if not labels:
        raise UsageError("no labels to look for", "give --labels dog,rain or --label-list FILE")
    return labels


def read_labels(path: Path) -> Sequence[str]:
    """A label a line; or of a CSV the column `display_name` or `label`.

    Raises:
        UsageError: if the file cannot be read, or a CSV has no such column.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}", "check the path") from error
    if path.suffix.lower() != ".csv":
        return lines
    table = csv.DictReader(lines)
    column = next((name for name in COLUMNS if name in (table.fieldnames or ())), None)
    if column is None:
        raise UsageError(f"{path} has no column {' or '.join(COLUMNS)}", "name its columns")
    return [row[column] or "" for row in table]


def unique(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels without outer spaces, each once, without empty ones."""
    return tuple(dict.fromkeys(label.strip() for label in labels if label.strip()))
