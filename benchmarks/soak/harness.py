"""Runs sepcli with the linear network as a process of its own that can be watched and killed.

The process is forked from one that has torch loaded already: a batch begins at once, so that
hundreds of them can be killed in minutes.
"""

import faulthandler
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks import linear

QUERY = "a gain of 0.5"
GAIN = 0.5
POLL = 0.002  # seconds
LAST_WORDS = 1.0  # seconds for a command that hangs to say where
TRACEBACK = "Traceback (most recent call last)"

torch.set_num_threads(1)  # threads do not survive a fork


@dataclass(frozen=True)
class Outcome:
    """What became of a command.

    Attributes:
        code: its exit code, minus a signal's number, or None if it had to be killed for hanging.
        out: standard output.
        err: standard error.
        seconds: of time.
        peak: resident memory at most, bytes.
    """

    code: int | None
    out: str
    err: str
    seconds: float
    peak: int

    @property
    def hung(self) -> bool:
        """Whether it did not end by itself."""
        return self.code is None

    @property
    def clear(self) -> bool:
        """Whether a failure says what is wrong and what to do, and no more."""
        if TRACEBACK in self.err:
            return False
        return self.code == 0 or ("error: " in self.err) == ("help: " in self.err)

    def events(self) -> list[dict[str, Any]]:
        """What `--progress json` told."""
        return [json.loads(line) for line in self.err.splitlines() if line.startswith("{")]

    def noise(self) -> list[str]:
        """Lines on standard error that are no events."""
        return [line for line in self.err.splitlines() if line and not line.startswith("{")]


class Running:
    """A command that was started.

    Args:
        words: of the command, after `sepcli`.
        folder: where it works, and where its output is kept.
        prepare: called in the new process before anything else.
        log: names its output, if several work in a folder.
    """

    def __init__(
        self,
        words: Sequence[object],
        folder: Path,
        prepare: Callable[[], object] | None = None,
        log: str = "",
    ) -> None:
        self._logs = folder / f".out-{log}", folder / f".err-{log}"
        for path in self._logs:
            path.write_bytes(b"")  # here, since the process may be killed before it does anything
        self._began = time.monotonic()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        self.pid = os.fork()
        if not self.pid:
            self._become(["sepcli", *map(str, words)], folder, prepare)

    def _become(self, words: list[str], folder: Path, prepare: Callable[[], object] | None) -> None:
        code = 70  # of a command that could not even begin
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the command has its own
            os.chdir(folder)
            for number, log in enumerate(self._logs, start=1):
                os.dup2(os.open(log, os.O_WRONLY), number)
            faulthandler.register(signal.SIGUSR1, sys.stderr, all_threads=True)
            if prepare is not None:
                prepare()
            sys.argv = words
            linear.main()
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            os._exit(code)

    def send(self, number: signal.Signals) -> None:
        """Send a signal; no error if the process has ended."""
        os.kill(self.pid, number)  # a zombie until `finish`, so its number is still its own

    def finish(self, limit: float) -> Outcome:
        """Wait for the end, at most `limit` seconds."""
        hung = False
        while True:
            pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            if pid:
                break
            if not hung and time.monotonic() - self._began > limit:
                hung = True
                self.send(signal.SIGUSR1)  # says where it stands
                time.sleep(LAST_WORDS)
                self.send(signal.SIGKILL)
            time.sleep(POLL)
        code = None if hung else os.waitstatus_to_exitcode(status)
        out, err = (log.read_text(errors="replace") for log in self._logs)
        took = time.monotonic() - self._began
        return Outcome(code, out, err, took, usage.ru_maxrss * 1024)


def sepcli(
    *words: object,
    folder: Path,
    limit: float = 180.0,
    prepare: Callable[[], object] | None = None,
    log: str = "",
) -> Outcome:
    """Run a command to its end, at most `limit` seconds."""
    return Running(words, folder, prepare, log).finish(limit)
