"""The files of a report are whole, always the same, or not there."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sepcli.errors import OutputError
from sepcli.evaluation.report.html import page
from sepcli.evaluation.report.listening import AudioOf
from sepcli.evaluation.report.write import write_report, write_together
from sepcli.evaluation.results import Row, read_rows, write_rows

NAMES = ["summary.md", "summary.tex", "rows.csv", "report.html"]
Summarise = Callable[[Sequence[Row]], dict[str, Any]]


def test_the_same_run_gives_the_same_bytes(
    tmp_path: Path, few_rows: list[Row], summary: dict[str, Any], audio_of: AudioOf
) -> None:
    rows = few_rows[:4]  # of one item
    first = write_report(tmp_path / "a" / "b", summary, rows, audio_of)
    second = write_report(tmp_path / "c", summary, rows, audio_of)
    assert [path.name for path in first] == NAMES
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert {path.name for path in (tmp_path / "c").iterdir()} == set(NAMES)
    assert b"data:audio/webm" in first[3].read_bytes()


def test_the_order_of_sets_does_not_show(
    tmp_path: Path, rows: list[Row], summary: dict[str, Any]
) -> None:
    (tmp_path / "data.py").write_text(f"nan, inf = float('nan'), float('inf')\nsummary = {summary}")
    code = (
        "import sys; from pathlib import Path; import data;"
        "from sepcli.evaluation.results import read_rows;"
        "from sepcli.evaluation.report.html import page;"
        "sys.stdout.buffer.write(page(data.summary, list(read_rows(Path('rows.jsonl')))).encode())"
    )
    write_rows(tmp_path / "rows.jsonl", rows)
    other = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONHASHSEED": "1"},
        capture_output=True,
        check=True,
    )
    assert other.stdout == page(summary, list(read_rows(tmp_path / "rows.jsonl"))).encode()


def test_a_report_without_audio_has_no_players(
    tmp_path: Path, few_rows: list[Row], summary: dict[str, Any]
) -> None:
    text = write_report(tmp_path, summary, few_rows, None)[3].read_text(encoding="utf-8")
    assert "<audio" not in text
    assert 'href="#listen"' not in text


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "free some space"), (errno.EROFS, "choose another --report folder")],
)
def test_a_failure_leaves_what_was_there(
    number: int, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_together(tmp_path, {"a": "old", "b": "old"})
    calls: list[int] = []

    def fail(file: int) -> None:
        calls.append(file)
        if len(calls) == 2:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError) as caught:
        write_together(tmp_path, {"a": "new", "b": "new"})
    assert os.strerror(number) in str(caught.value)
    assert caught.value.remedy == remedy
    assert caught.value.exit_code == 5
    assert {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()} == {
        "a": "old",
        "b": "old",
    }


def test_a_folder_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match="cannot write to"):
        write_together(tmp_path / "file" / "report", {"a": "text"})


def test_names_that_are_not_utf8_do_not_stop_a_report(
    tmp_path: Path, summary: dict[str, Any]
) -> None:
    name = os.fsdecode(b"caf\xe9\x1b")
    row = Row(name, name, "estimate", name, {"class": name}, (name,), {"sdri": 1.0, "sdr": 2.0})
    hostile = summary | {"flags": {name: 1}, "system": summary["system"] | {"name": name}}
    for path in write_report(tmp_path, hostile, [row], None):
        assert "caf\ufffd\ufffd" in path.read_text(encoding="utf-8")
