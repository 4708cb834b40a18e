"""Folders and files that can be compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sepcli.errors import UsageError
from sepcli.evaluation.results import Row, write_rows
from sepcli.evaluation.runs import read_run

SUMMARY = {
    "protocol": {"id": "lass/sdri"},
    "items_hash": "ab12",
    "headline": {"column": "sdr"},
    "columns": {"sdr": {}},
}


@pytest.fixture
def folder() -> Path:
    path = Path("run")
    path.mkdir()
    systems = ("estimate", "mixture")
    rows = [Row("a", "dog", system, system, {}, (), {"sdr": 1.0}) for system in systems]
    write_rows(path / "rows.jsonl", rows)
    (path / "summary.json").write_text(json.dumps(SUMMARY))
    return path


def test_a_folder(folder: Path) -> None:
    run = read_run(folder)
    assert (run.name, run.protocol, run.items_hash) == ("run", "lass/sdri", "ab12")
    assert [row.system for row in run.rows] == ["estimate"]


def test_a_published_file() -> None:
    Path("theirs.csv").write_text("track,method,stem,sdr\na,X,dog,1\na,Y,dog,2\n")
    run = read_run(Path("theirs.csv#Y"))
    assert (run.name, run.protocol, run.items_hash) == ("theirs.csv#Y", None, None)
    assert run.rows[0].scores == {"sdr": 2}


def test_a_file_with_the_sign_in_its_name() -> None:
    Path("take#1.csv").write_text("track,stem,sdr\na,dog,1\n")
    assert read_run(Path("take#1.csv")).rows[0].scores == {"sdr": 1}


def test_an_unfinished_run(folder: Path) -> None:
    (folder / "summary.json").unlink()
    with pytest.raises(UsageError, match=r"no finished run: it has no summary\.json"):
        read_run(folder)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("summary.json", "{"),
        ("summary.json", "[]"),
        ("summary.json", "{}"),
        ("summary.json", json.dumps({**SUMMARY, "protocol": {}})),
        ("rows.jsonl", "{}\n"),
        ("rows.jsonl", "no json\n"),
    ],
)
def test_a_broken_run(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    with pytest.raises(UsageError, match="is broken"):
        read_run(folder)


def test_neither() -> None:
    with pytest.raises(UsageError, match="no readable CSV"):
        read_run(Path("missing"))
