"""What `sepcli eval` shows while it works."""

from __future__ import annotations

import json

import pytest

from sepcli.cli import evaluate_display
from sepcli.cli.evaluate_display import display_for, fitting, headline
from sepcli.evaluation.batch import Begun, Event, Scored, Unscored

EVENTS: tuple[Event, ...] = (
    Begun(items=3, resumed=1),
    Scored("two", 5.0),
    Unscored("three\x1b[2J", "three\x1b[2J: broken", "mend it", 1),
)
SUMMARY = {
    "system": {"name": "mine"},
    "headline": {"column": "sdri", "value": 7.123, "low": None, "high": 8, "how": "mean"},
    "columns": {c: {"unit": "dB"} for c in ("sdr", "sdri", "si_sdr", "si_sdri", "si_snr")},
    "protocol": {"id": "a/b", "digest": "0123abcd"},
    "dataset": {"complete": "complete 3"},
}


def told(kind: str, capsys: pytest.CaptureFixture[str]) -> str:
    with display_for(kind) as display:
        display.note("a note")
        for event in EVENTS:
            display.read(event)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "\x1b[2J" not in captured.err
    return captured.err


def test_failures_are_always_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert told("none", capsys).splitlines() == ["error: three?[2J: broken", "help: mend it"]


def test_plain_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate_display, "PLAIN_SECONDS", -1.0)
    lines = told("plain", capsys).splitlines()
    assert lines[:3] == ["a note", "3 items, 1 of them scored before", "2 of 3 items"]
    assert lines[-1] == "3 of 3 items"
    assert told("auto", capsys).splitlines() == lines  # no terminal here


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [json.loads(line) for line in told("json", capsys).splitlines()]
    assert [row["event"] for row in rows] == ["Note", "Begun", "Scored", "Unscored"]
    assert rows[2]["item"] == "two"


def test_the_bar_says_notes_and_failures(capsys: pytest.CaptureFixture[str]) -> None:
    text = told("rich", capsys)
    assert "a note" in text
    assert "help: mend it" in text


def test_columns_that_fit_begin_with_the_headline_and_its_kind() -> None:
    assert fitting(SUMMARY, 80) == ["sdri", "si_sdri", "sdr"]
    assert fitting(SUMMARY, 10) == ["sdri"]
    assert set(fitting(SUMMARY, 400)) == set(SUMMARY["columns"])


def test_the_run_in_one_line() -> None:
    assert headline(SUMMARY) == "mine: sdri 7.12 dB [n/a, 8.00], mean; a/b 0123abcd, complete 3"
