"""Tables in Parquet files; pyarrow, which is large and optional, is loaded when one is named."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from sepcli.errors import UsageError


def read_parquet(path: Path) -> list[dict[str, Any]]:
    """The rows of a Parquet file.

    Raises:
        UsageError: if pyarrow is not installed, or the file is broken.
    """
    parquet = pyarrow(path, "pyarrow.parquet")
    try:
        rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {error}", "get the file again") from error
    return rows


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows that have the same keys.

    Raises:
        UsageError: if pyarrow is not installed.
        OSError: if the disk is full or read-only.
    """
    table = pyarrow(path, "pyarrow").Table.from_pylist(rows)
    pyarrow(path, "pyarrow.parquet").write_table(table, path)


def pyarrow(path: Path, module: str) -> Any:
    """A module of pyarrow; `path` says in the error what it is needed for."""
    try:
        return import_module(module)
    except ImportError as error:
        remedy = 'pip install pyarrow, which "sepcli[hive]" brings; or use a file of JSON lines'
        raise UsageError(f"{path} is Parquet, which needs pyarrow", remedy) from error
