"""What a user sees of signals, and of errors that nobody foresaw."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable

import pytest

from sepcli.cli import main as program
from sepcli.cli.main import Stop, Stopped, foreseen
from sepcli.errors import UsageError

Sepcli = Callable[..., int]


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ZeroDivisionError("division by zero\nmore"), 1, "unexpected ZeroDivisionError: division"),
        (ValueError(""), 1, "unexpected ValueError: "),
        (MemoryError(), 4, "out of memory"),
        (OSError(errno.ENOMEM, "no"), 4, "out of memory"),
        (ImportError("lib.so: failed to map segment from shared object"), 4, "out of memory"),
        (UsageError("a\x1b[2Jb", "do\x07 c"), 2, "a?[2Jb"),
        (UsageError("x" * 10**6, "help"), 2, "x" * 4000),
    ],
)
def test_every_error_is_two_lines(
    sepcli: Sepcli,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    code: int,
    said: str,
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(program, "app", fail)
    assert sepcli("anything") == code
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"error: {said}")
    assert second.startswith("help: ")
    assert len(first) < 5000
    program.sys.argv.append("--debug")
    with pytest.raises(type(error)):
        program.main()


def test_errors_that_were_foreseen_stay_as_they_are() -> None:
    error = UsageError("what", "how")
    assert foreseen(error) is error


def test_the_second_signal_waits_and_the_third_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []
    monkeypatch.setattr(os, "_exit", left.append)
    stop = Stop()
    with pytest.raises(Stopped) as caught:
        stop(signal.SIGTERM, None)
    assert caught.value.number == signal.SIGTERM
    stop(signal.SIGINT, None)
    assert not left
    stop(signal.SIGINT, None)
    assert left == [130]
