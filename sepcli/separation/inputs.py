"""Files, folders, globs, manifests and standard input, expanded to a list of recordings."""

from __future__ import annotations

import csv
import glob
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sepcli.audio.folder import recordings_in
from sepcli.errors import UsageError
from sepcli.separation.options import STREAM
from sepcli.separation.queries import Query, parse_time, text_query
from sepcli.text_file import read_lines

MANIFESTS = (".csv", ".jsonl")
COLUMNS = ("path", "query", "start", "end")


@dataclass(frozen=True, slots=True)  # of which there may be millions
class Source:
    """A recording to separate.

    Attributes:
        path: the file, or "-".
        folder: where its stems go, relative to the output folder.
        queries: of a manifest's row, or detected; in place of the command's.
        start: seconds, of a manifest's row.
        end: seconds, of a manifest's row.
    """

    path: Path
    folder: Path = Path()
    queries: tuple[Query, ...] = ()
    start: float | None = None
    end: float | None = None


def expand(inputs: Iterable[str], recursive: bool) -> list[Source]:
    """All recordings that the inputs name, in order; folders and globs sorted.

    Raises:
        UsageError: if an input names nothing, or a manifest is wrong.
    """
    sources = [source for text in inputs for source in _expand_one(text, recursive)]
    if not sources:
        raise UsageError("nothing to separate", "name a recording, a folder or a manifest")
    return sources


def _expand_one(text: str, recursive: bool) -> Iterator[Source]:
    path = Path(text)
    if text == STREAM:
        yield Source(path)
    elif path.is_dir():
        yield from _expand_folder(path, recursive)
    elif path.suffix.lower() in MANIFESTS:
        yield from _expand_manifest(path)
    elif not path.exists() and glob.has_magic(text):
        found = sorted(glob.glob(text, recursive=True))  # noqa: PTH207 - absolute ones too
        if not found:
            raise UsageError(f"nothing matches {text}", "check the pattern, and quote it")
        yield from (Source(Path(name)) for name in found if Path(name).is_file())
    else:
        yield Source(path)  # a missing file is that file's failure, not the batch's


def _expand_folder(folder: Path, recursive: bool) -> Iterator[Source]:
    files = recordings_in(folder, recursive)
    if not files:
        deeper = "" if recursive else ", or look deeper with --recursive"
        raise UsageError(f"no recordings in {folder}", f"check the folder{deeper}")
    for parent, inside in itertools.groupby(files, lambda path: path.parent):
        below = parent.relative_to(folder)
        yield from (Source(path, below) for path in inside)


def _expand_manifest(path: Path) -> Iterator[Source]:
    rows = _csv_rows(path) if path.suffix.lower() == ".csv" else _jsonl_rows(path)
    empty = True
    for number, row in rows:
        place = f"{path}, line {number}"
        if unknown := set(row) - set(COLUMNS):
            named = ", ".join(sorted(map(str, unknown)))
            remedy = f"use {', '.join(COLUMNS)}"
            raise UsageError(f"{place}: unknown column {named:.200}", remedy)
        if not isinstance(row.get("path"), str) or not row["path"]:
            raise UsageError(f"{place}: no path", f"use the columns {', '.join(COLUMNS)}")
        empty = False
        yield _manifest_source(path.parent, row)
    if empty:
        raise UsageError(f"manifest {path} is empty", "add a line for every recording")


def _manifest_source(folder: Path, row: dict[str, Any]) -> Source:
    times = {
        key: parse_time(str(row[key])) for key in ("start", "end") if row.get(key) not in (None, "")
    }
    if "end" in times and times["end"] <= times.get("start", 0.0):
        raise UsageError(f"{row['path']} ends before it starts", "correct the manifest")
    queries = (text_query(str(row["query"])),) if row.get("query") else ()
    path = folder / str(row["path"])
    return Source(path, queries=queries, start=times.get("start"), end=times.get("end"))


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(read_lines(path))
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        message = f"{path}, line {reader.line_num + 1}: {error}"
        raise UsageError(message, "write it as CSV, one recording a line") from error


def _jsonl_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else error
            raise UsageError(f"{place}: {reason}", "one JSON object a line") from error
        if not isinstance(row, dict):
            raise UsageError(f"{place}: not an object", "one JSON object a line")
        yield number, row
