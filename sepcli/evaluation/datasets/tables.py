"""Lists that come with data sets: CSV with or without a header, and one JSON object a line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sepcli.errors import UsageError


def read_rows(path: Path, encoding: str = "utf-8-sig") -> list[list[str]]:
    """The rows of a CSV file without a header; empty lines are left out.

    Raises:
        UsageError: if it cannot be read.
    """
    try:
        with path.open(newline="", encoding=encoding) as file:
            return [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"cannot read {path}: {error}", "get the file again") from error


def read_table(
    path: Path, columns: Iterable[str], encoding: str = "utf-8-sig"
) -> list[dict[str, str]]:
    """The rows of a CSV file, by its header; of columns named twice, the first counts.

    Args:
        path: of the file.
        columns: what it must have.
        encoding: of its text.

    Raises:
        UsageError: if it cannot be read, lacks a column, or a row is too short.
    """
    rows = read_rows(path, encoding)
    header = rows[0] if rows else []
    if missing := [name for name in columns if name not in header]:
        raise UsageError(f"{path} has no column {missing[0]}", "get the file again")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(header):
            message = f"{path}, row {number}: {len(row)} values for {len(header)} columns"
            raise UsageError(message, "get the file again, or correct the row")
    return [dict(zip(reversed(header), reversed(row), strict=True)) for row in rows[1:]]


def has_columns(path: Path, columns: Iterable[str]) -> bool:
    """Whether a CSV file begins with a header that has all of `columns`."""
    if not path.is_file():
        return False
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        header = next(csv.reader([file.readline(10_000)]), [])
    return set(columns) <= set(header)


def read_jsonl(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """The objects of a file with one JSON object a line, each with the number of its line.

    Raises:
        UsageError: if it cannot be read, or a line is not an object.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}", "check the path") from error
    return [
        (number, _object(path, number, line))
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise UsageError(f"{path}, line {number}: {error}", "correct the line") from error
    if not isinstance(value, dict):
        raise UsageError(f"{path}, line {number} is not a JSON object", "correct the line")
    return value
