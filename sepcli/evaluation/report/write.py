"""The files of a report: written under other names, renamed when all are whole."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sepcli.audio.writer import partial_path
from sepcli.errors import OutputError
from sepcli.evaluation.report.flat import rows_csv
from sepcli.evaluation.report.html import page
from sepcli.evaluation.report.latex import summary_latex
from sepcli.evaluation.report.listening import AudioOf, excerpts
from sepcli.evaluation.report.markdown import summary_markdown
from sepcli.evaluation.report.wording import Summary
from sepcli.evaluation.results import Row


def write_report(
    folder: Path, summary: Summary, rows: Sequence[Row], audio_of: AudioOf | None
) -> list[Path]:
    """Write summary.md, summary.tex, rows.csv and report.html.

    The same summary, rows and audio give the same bytes.

    Args:
        folder: where; it is created.
        summary: of the run.
        rows: of the run, reference rows included.
        audio_of: gives an item's audio and estimates; None for a page without players.

    Returns:
        the four paths.

    Raises:
        OutputError: if the disk is full or read-only; no file is then half-written.
    """
    heard = [] if audio_of is None else excerpts(summary, rows, audio_of)
    return write_together(
        folder,
        {
            "summary.md": summary_markdown(summary),
            "summary.tex": summary_latex(summary),
            "rows.csv": rows_csv(rows),
            "report.html": page(summary, rows, heard),
        },
    )


def write_together(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write files of text, all or none, safely on disk.

    Raises:
        OutputError: if one of them cannot be written.
    """
    paths = [folder / name for name in texts]
    with _all_or_none(folder, paths):
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in zip(paths, texts.values(), strict=True):
            with partial_path(path).open("w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        for path in paths:
            partial_path(path).replace(path)
    return paths


@contextmanager
def _all_or_none(folder: Path, paths: Sequence[Path]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        for path in paths:
            with suppress(OSError):
                partial_path(path).unlink(missing_ok=True)
        full = error.errno == errno.ENOSPC
        remedy = "free some space" if full else "choose another --report folder"
        reason = error.strerror or str(error)
        raise OutputError(f"cannot write to {folder}: {reason}", remedy) from error
