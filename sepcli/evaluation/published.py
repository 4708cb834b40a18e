"""Figures that others published, one line per track, read as rows.

Three layouts are understood, told apart by the names of the columns:

    long, tidy      track, target, metric, score   (museval's data frames)
    long            track_id, stem, sdr            (MoisesDB's benchmark)
    wide            file, snr/audio/speech, ...    (DnR v3's results), or a column per stem
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sepcli.errors import UsageError
from sepcli.evaluation.metrics import catalogue
from sepcli.evaluation.results import SYSTEM, Row

ROLES = {
    "item": ("item", "track", "track_id", "track_name", "file", "filename", "song", "mixture"),
    "stem": ("stem", "target", "source", "instrument"),
    "metric": ("metric",),
    "score": ("score", "value"),
    "method": ("method", "system", "model"),
    "frame": ("time", "frame"),
}
ALIASES = {"snr": "sdr", "usdr": "sdr", "nsdr": "sdr", "snri": "sdri"}  # see metrics/sdr.py
JOINED = {"sisdr": "si_sdr", "sisdri": "si_sdri", "sisnr": "si_snr"}
FRAMEWISE = {name: f"{name}_v4" for name in ("sdr", "isr", "sir", "sar")}  # museval's, by second

Scores = dict[tuple[str, str], dict[str, list[float]]]  # (item, stem) -> column -> figures


@dataclass(frozen=True)
class Sheet:
    """A CSV file: names of columns, and its lines by number."""

    path: Path
    head: tuple[str, ...]
    lines: tuple[tuple[int, Mapping[str, str]], ...]

    def column(self, role: str) -> str | None:
        """The column that plays a role, if there is one."""
        return next((name for name in self.head if _plain(name) in ROLES[role]), None)

    def refuse(self, message: str, remedy: str) -> UsageError:
        """An error that says which columns there are."""
        found = ", ".join(name for name in self.head if name)
        return UsageError(f"{self.path}: {message}; its columns are {found}", remedy)


def read_published(path: Path, method: str | None = None, metric: str | None = None) -> list[Row]:
    """The rows of a published CSV file, sorted by item and stem.

    Frames of one track are condensed to their median, as museval does. Names of metrics become
    those of sepcli's columns where the meaning is the same; an empty stem stands for a file that
    names none.

    Args:
        path: of the file.
        method: which one, where the file has several.
        metric: what the figures are, where columns are named by stems alone.

    Raises:
        UsageError: if the file cannot be read or understood.
    """
    sheet = read_sheet(path)
    item = sheet.column("item")
    if item is None:
        names = ", ".join(ROLES["item"])
        raise sheet.refuse("no column names the track", f"call one of them {names}")
    sheet = one_method(sheet, method)
    framed = sheet.column("frame") is not None
    scores: Scores = {}
    for name, stem, column, value in figures(sheet, item, metric):
        column = FRAMEWISE.get(column, column) if framed else column
        scores.setdefault((name, stem), {}).setdefault(column, []).append(value)
    if not framed:
        _refuse_repetition(sheet, scores)
    return [
        Row(name, stem, SYSTEM, stem, {}, (), {c: _median(v) for c, v in columns.items()})
        for (name, stem), columns in sorted(scores.items())
    ]


def read_sheet(path: Path) -> Sheet:
    """Decode a file with commas, semicolons or tabs.

    Raises:
        UsageError: if it is no such file, or has no lines.
    """
    try:
        text = path.read_text("utf-8-sig")
        delimiter = max(",;\t", key=text.partition("\n")[0].count)
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        head = tuple(reader.fieldnames or ())
        lines = tuple((reader.line_num, line) for line in reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: no readable CSV file ({error})", "give UTF-8 text") from error
    if not lines:
        raise UsageError(f"{path}: no figures in it", "give a file with one line per track")
    for number, line in lines:
        if None in line or None in line.values():
            message = f"{path}, line {number}: not as many cells as the first line"
            raise UsageError(message, "mend that line")
    return Sheet(path, head, lines)


def one_method(sheet: Sheet, method: str | None) -> Sheet:
    """The lines of one method.

    Raises:
        UsageError: if there are several and none is chosen, or the chosen one is not there.
    """
    column = sheet.column("method")
    found = sorted({line[column] for _, line in sheet.lines}) if column else []
    names = ", ".join(found) or "none"
    if method is None and len(found) > 1:
        raise sheet.refuse(f"it has several methods: {names}", f"add #{found[0]} to its name")
    if method is not None and method not in found:
        raise sheet.refuse(f"no method {method}", f"its methods: {names}")
    if column is None or method is None:
        return sheet
    lines = tuple((n, line) for n, line in sheet.lines if line[column] == method)
    return Sheet(sheet.path, sheet.head, lines)


def figures(sheet: Sheet, item: str, metric: str | None) -> Iterator[tuple[str, str, str, float]]:
    """Item, stem, column and value of every figure.

    Raises:
        UsageError: if no column holds figures, or nothing says what they are.
    """
    stem, named, score = (sheet.column(role) for role in ("stem", "metric", "score"))
    if named is not None and score is not None:
        for number, line in sheet.lines:
            value = _figure(sheet, number, line[score])
            yield line[item], line[stem] if stem else "", canonical(line[named]), value
        return
    meanings = {
        column: ("", canonical(column)) if stem else meaning_of(sheet, column, metric)
        for column in numeric_columns(sheet)
    }
    if not meanings:
        raise sheet.refuse("no column holds figures", "give one column per metric or per stem")
    for number, line in sheet.lines:
        for column, (target, name) in meanings.items():
            value = _figure(sheet, number, line[column])
            yield line[item], line[stem] if stem else target, name, value


def numeric_columns(sheet: Sheet) -> list[str]:
    """Columns that begin with a number and play no other role; a column without name is an index.

    A later cell that is no number is then an error in the file, not another kind of column.
    """
    taken = {sheet.column(role) for role in ROLES}
    free = [name for name in sheet.head if name and name not in taken]
    return [name for name in free if _begins_with_a_number(line[name] for _, line in sheet.lines)]


def meaning_of(sheet: Sheet, column: str, metric: str | None) -> tuple[str, str]:
    """Stem and metric of a column in a wide file: "sdr/vocals", a metric, or a stem.

    Raises:
        UsageError: if it is a stem and nothing says what the figure is.
    """
    if "/" in column:
        parts = column.split("/")
        return parts[-1], canonical(parts[0])
    if canonical(column) in catalogue.columns():
        return "", canonical(column)
    if metric is None:
        remedy = f"call the column by its metric, as in sdr/{column}"
        raise sheet.refuse(f"nothing says what the figures of {column} are", remedy)
    return column, canonical(metric)


def canonical(name: str) -> str:
    """A metric's name as sepcli spells it; unknown ones in lower case."""
    plain = _plain(name)
    plain = JOINED.get(plain, plain)
    return ALIASES.get(plain, plain)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def _figure(sheet: Sheet, number: int, text: str) -> float:
    try:
        return float(text) if text.strip() else math.nan
    except ValueError:
        message = f"{sheet.path}, line {number}: {text!r} is no number"
        raise UsageError(message, "mend that line, or leave the cell empty") from None


def _begins_with_a_number(cells: Iterable[str]) -> bool:
    first = next((cell for cell in cells if cell.strip()), "")
    try:
        float(first)
    except ValueError:
        return False
    return True


def _refuse_repetition(sheet: Sheet, scores: Scores) -> None:
    for (item, stem), columns in scores.items():
        if any(len(values) > 1 for values in columns.values()):
            message = f"several figures for {' '.join((item, stem)).strip()}"
            raise sheet.refuse(message, "leave one line per track and stem")


def _median(values: Sequence[float]) -> float:
    valid = [value for value in values if not math.isnan(value)]
    return float(np.median(valid)) if valid else math.nan
