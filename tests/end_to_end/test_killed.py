"""Whole programs that are stopped and killed, and go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

ROOT = Path(__file__).parents[2]
LINEAR = (
    "from pathlib import Path; from benchmarks.linear import main, write_model; "
    "write_model(Path('model')); main()"
)
NAMES = [f"{number}.wav" for number in range(4)]
ASKED = ("--query", "a gain of 0.5", "--model", "model")
PAUSE = "0.5"  # seconds for every window

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


def program(*words: str, pause: str = "0") -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SEPCLI_LINEAR_PAUSE": pause}
    command = [sys.executable, "-c", LINEAR, *words]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)


def ended(process: subprocess.Popen[str]) -> str:
    _, told = process.communicate(timeout=120)
    assert "Traceback" not in told
    return told


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def stems() -> dict[str, tuple[int, int]]:
    """What is there by its own name, with what changes if it is written again."""
    found = [path for path in Path("separated").glob("*") if not path.name.startswith(".")]
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def partials() -> list[Path]:
    return list(Path("separated").glob(".sepcli-partial-*"))


def test_a_batch_that_is_killed_goes_on(recording: Callable[..., Path]) -> None:
    for name in NAMES:
        recording(name, subtype="PCM_16")
    ended(program("plan", *NAMES, *ASKED, "--to", "plan.jsonl"))
    process = program("separate", "--plan", "plan.jsonl", pause=PAUSE)
    wait_for(lambda: stems() and partials())
    process.send_signal(signal.SIGKILL)
    ended(process)
    before = stems()
    assert 1 <= len(before) < len(NAMES)
    assert all(soundfile.info(f"separated/{name}").frames == 40_000 for name in before)
    process = program("separate", "--plan", "plan.jsonl")
    told = ended(process)
    assert process.returncode == 0
    assert f"{len(NAMES) - len(before)} done, {len(before)} skipped" in told
    assert stems().items() > before.items()
    assert len(stems()) == len(NAMES)
    assert not partials()


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_does_not_disturb_the_first(
    recording: Callable[..., Path], second: signal.Signals
) -> None:
    recording("0.wav", seconds=30)
    process = program("separate", "0.wav", *ASKED, pause=PAUSE)
    wait_for(partials)
    process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    process.send_signal(second)
    assert "stopped: what was finished is kept" in ended(process)
    assert process.returncode == 130
    assert not list(Path("separated").glob("*"))
