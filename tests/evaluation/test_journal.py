"""The journal survives a kill at any byte."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from sepcli.errors import OutputError
from sepcli.evaluation.journal import Journal
from sepcli.evaluation.results import Row, read_rows, write_rows


def rows(item: str) -> list[Row]:
    scores = {"sdr": 1.25, "sir": math.inf, "sar": -math.inf}
    return [
        Row(
            item, stem, "estimate", stem, {"class": "dög", "snr": -3.0}, ("short",), scores, {}, "k"
        )
        for stem in ("a", "b")
    ]


def test_gives_back_what_was_added(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    assert journal.read() == {}
    journal.append(rows("one"))
    journal.append(rows("two"))
    assert journal.read() == {"one": rows("one"), "two": rows("two")}


def test_a_later_line_about_an_item_counts(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.append(rows("one"))
    journal.append(rows("one")[:1])
    assert journal.read() == {"one": rows("one")[:1]}


def test_a_cut_line_is_not_read_and_not_continued(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    Journal(path).append(rows("one"))
    whole = path.read_bytes()
    Journal(path).append(rows("twö"))
    both = path.read_bytes()
    for cut in range(len(whole), len(both), 7):
        path.write_bytes(both[:cut])
        assert list(Journal(path).read()) == ["one"]
        Journal(path).mend()
        Journal(path).append(rows("three"))
        assert list(Journal(path).read()) == ["one", "three"]


def test_a_folder_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        Journal(tmp_path / "gone" / "journal").append(rows("one"))


def test_undefined_figures_are_null_and_infinite_ones_words(tmp_path: Path) -> None:
    row = Row("i", "s", "estimate", "s", {}, (), {"x": math.nan, "y": -math.inf, "z": 1 / 3})
    write_rows(tmp_path / "rows.jsonl", [row])
    text = (tmp_path / "rows.jsonl").read_text()
    assert '"x": null, "y": "-inf", "z": 0.333333333333' in text
    back = next(read_rows(tmp_path / "rows.jsonl"))
    assert math.isnan(back.scores["x"])
    assert back.scores["y"] == -math.inf
    assert back.scores["z"] == pytest.approx(1 / 3, abs=1e-12)
