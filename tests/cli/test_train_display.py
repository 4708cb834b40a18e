"""What `sepcli train` shows while it runs."""

from __future__ import annotations

import json

import pytest

from sepcli.cli import train_display
from sepcli.cli.train_display import display_for
from sepcli.training.loop.events import (
    Event,
    Finished,
    Noted,
    Saved,
    Skipped,
    Started,
    Stepped,
    Validated,
)

EVENTS: tuple[Event, ...] = (
    Started(10, 40, 1234567, "cpu", 2, ("lr",), "presence"),
    Noted("nothing\x1b[2J"),
    Stepped(11, 40, {"loss": 0.123456, "snr": 7.0}, 12.34, 0.256),
    Skipped(12, 1),
    Validated(12, {"val_snr": 8.5}, True),
    Saved(12, "run/checkpoint.pt"),
    Stepped(13, 40, {"loss": 0.1}, 12.34, 0.256),
    Stepped(40, 40, {"loss": 0.05}, 12.34, 0.0),
    Validated(40, {"val_snr": 8.0}, False),
    Finished(40, "patience", 12),
    Finished(40, "steps", 12),
)


def told(kind: str, capsys: pytest.CaptureFixture[str]) -> str:
    with display_for(kind) as display:
        for event in EVENTS:
            display.read(event)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "\x1b[2J" not in captured.err
    return captured.err


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    assert told("none", capsys) == ""


def test_plain_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 0.0, 5.0, 11.0, 60.0, 60.0])
    monkeypatch.setattr(train_display.time, "monotonic", lambda: next(now))
    lines = told("plain", capsys).splitlines()
    going_on = "going on after step 10 of 40; changed since: lr"
    assert lines == [
        f"presence: 1,234,567 parameters on cpu, 2 processes, {going_on}",
        "note: nothing?[2J",
        "step 12: skipped, loss or gradient not finite (1)",
        "step 12: val_snr 8.5, the best so far",
        "13/40 [0:11.0<1:39.0] loss 0.1, 12.3 samples/s, 26% waiting for data",
        "40/40 [1:00.0<0:00.0] loss 0.05, 12.3 samples/s, 0% waiting for data",
        "step 40: val_snr 8",
        "step 40: no better than step 12 for long, ended",
    ]


def test_no_terminal_has_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert "40/40" in told("auto", capsys)


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [json.loads(line) for line in told("json", capsys).splitlines()]
    assert [row["event"] for row in rows] == [type(event).__name__ for event in EVENTS]
    assert rows[2]["figures"] == {"loss": 0.123456, "snr": 7.0}


def test_the_bar_has_the_loss_the_speed_and_the_last_validation(
    capsys: pytest.CaptureFixture[str],
) -> None:
    display = display_for("rich")
    assert isinstance(display, train_display.RichDisplay)
    with display:
        for event in EVENTS[:7]:
            display.read(event)
        task = display.bars.tasks[0]
        assert (task.description, task.completed, task.total) == ("presence", 13, 40)
        facts = "loss 0.1, 12.3 samples/s, 26% waiting for data, validation val_snr 8.5"
        assert task.fields["facts"] == facts
        display.read(Started(0, 5, 1, "cpu", 1))
        display.read(Stepped(1, 5, {}, 0.0, 0.0))
        (task,) = display.bars.tasks
        assert (task.description, task.completed, task.fields["facts"]) == ("training", 1, "")
    assert "step 12: val_snr 8.5, the best so far" in capsys.readouterr().err
