"""One worker of four, killed while it works: the others finish what it had."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.soak.harness import Outcome
from benchmarks.soak.kills import RECORDINGS, STEMS, contents, planned
from benchmarks.soak.row import Observed

ROOT = Path(__file__).parents[2]
WORKERS = 4
TIMES, FEW = 3, 1
LIMIT = 600.0  # seconds; every worker loads torch
PAUSE = "0.3"  # seconds for every window, so that there is something left to do


def provoke(folder: Path, quick: bool) -> Observed:
    """Kill a worker some way into a batch, and compare with the same batch undisturbed."""
    seen = Observed()
    seen.never("wrong codes", "stems lost", "stems that differ")
    planned(folder)
    whole = undisturbed(folder)
    for number in range(FEW if quick else TIMES):
        shutil.rmtree(folder / "stems")
        outcome = bereft(folder, number + 1)
        seen.tried("workers killed")
        seen.expect(outcome.code == 0, "wrong codes", f"{outcome.code}: {outcome.err[-300:]}")
        found = contents(folder / "stems")
        for name in whole.keys() - found.keys():
            seen.happened("stems lost", name)
        for name in (name for name, content in found.items() if content != whole.get(name)):
            seen.happened("stems that differ", name)
    seen.figures = {"workers": WORKERS, "stems": len(whole)}
    return seen


def undisturbed(folder: Path) -> dict[str, bytes]:
    """What one process makes of the plan."""
    process = started(folder)
    if process.wait(LIMIT):
        raise SystemExit(f"the batch failed: {(folder / '.err').read_text()}")
    whole = contents(folder / "stems")
    if len(whole) < STEMS * RECORDINGS:
        raise SystemExit(f"stems are missing: {(folder / '.err').read_text()}")
    return whole


def bereft(folder: Path, finished: int) -> Outcome:
    """A batch one of whose workers is killed once so many recordings are finished."""
    began = time.monotonic()
    process = started(folder, "--workers", str(WORKERS))
    killed = False
    while process.poll() is None and time.monotonic() - began < LIMIT:
        if not killed and said(folder).count('"Finished"') >= finished:
            os.kill(workers_of(process.pid)[0], signal.SIGKILL)
            killed = True
        time.sleep(0.02)
    process.kill()  # if it hangs
    code = process.wait() if killed else None
    return Outcome(code, "", said(folder), time.monotonic() - began, 0)


def started(folder: Path, *options: str) -> subprocess.Popen[bytes]:
    """A batch as a program of its own, whose workers are spawned as everybody's are."""
    command = [sys.executable, "-m", "benchmarks.linear", "separate", "--plan", "plan.jsonl"]
    told = ["--progress", "json", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SEPCLI_LINEAR_PAUSE": PAUSE}
    with (folder / ".err").open("wb") as log:
        return subprocess.Popen([*command, *told], cwd=folder, stderr=log, env=environment)


def said(folder: Path) -> str:
    """Events until now."""
    return (folder / ".err").read_text(errors="replace")


def workers_of(pid: int) -> list[int]:
    """The processes that a process has spawned to work, the oldest first."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [child for child in map(int, listed) if b"spawn_main" in command_of(child)]


def command_of(pid: int) -> bytes:
    """The command line of a process, empty if it has just gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
