"""Processes that are really started, killed and stopped."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from small_plans import Deadly, Stillborn, duty_for, fates, leftovers, outcome, stems, survivors

from sepcli.batch.launchers.local import LocalCrew, usable_cores, visible_gpus
from sepcli.batch.launchers.supervise import supervise
from sepcli.batch.plan_file import Plan
from sepcli.batch.worker import Policy, run_plan
from sepcli.errors import ItemError
from sepcli.separation.events import Failed, Planned, Started, StemWritten

Make = Callable[..., Plan]
ONCE = Counter(["Finished"])


@contextmanager
def at_work() -> Iterator[subprocess.Popen[str]]:
    """The command with two workers, of which one at least is busy."""
    words = ["separate", "--plan", "out.jsonl", "--workers", "2", "--progress", "json"]
    command = [sys.executable, "-m", "sepcli", *words]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if '"event": "Progress"' in line:
                break
        yield process


def told(process: subprocess.Popen[str]) -> str:
    """What a command says until it and all its workers have closed their standard error."""
    assert process.stderr is not None
    return process.stderr.read()


def test_rows_of_killed_workers_are_done_by_others_but_killers_are_quarantined(plan: Make) -> None:
    duty = duty_for(made := plan(9), Deadly, always="r2.wav", once="r5.wav")
    events = list(supervise(made, range(9), LocalCrew(duty, 2), Policy()))
    assert fates(events) == {f"r{n}.wav": ONCE for n in range(9)} | {"r2.wav": Counter(["Failed"])}
    starts = Counter(Path(event.path).name for event in events if isinstance(event, Started))
    assert starts == {f"r{n}.wav": 1 for n in range(9)} | {"r2.wav": 2, "r5.wav": 2}
    (failed,) = (event for event in events if isinstance(event, Failed))
    assert failed.error.endswith("r2.wav: 2 workers died of it, the last by signal SIGKILL")
    assert isinstance(events[0], Planned)
    assert (events[0].files, events[0].seconds) == (9, pytest.approx(sum(made.seconds)))
    assert outcome(events).exit_code == 1
    assert len(stems()) == 8
    again = Counter(type(event).__name__ for event in run_plan(made, None, Policy()))
    assert (again["Skipped"], again["Quarantined"], again["Finished"]) == (8, 1, 0)


def test_workers_that_cannot_begin_are_not_replaced_for_ever(plan: Make) -> None:
    crew = LocalCrew(duty_for(made := plan(2), Stillborn), 2)
    with pytest.raises(ItemError, match=r"all workers died before they could begin, .* SIGKILL"):
        list(supervise(made, range(2), crew, Policy()))
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_stop_all_workers_and_the_batch_can_go_on(
    number: signal.Signals, plan: Make
) -> None:
    made = plan(4, seconds=20.0)
    with at_work() as process:
        os.killpg(process.pid, number)  # as a terminal does
        said = told(process)
    assert process.returncode == 128 + number
    assert "the same command can go on" in said
    assert "Traceback" not in said
    assert not survivors(process.pid)
    assert not leftovers()
    done = set(stems())
    events = list(run_plan(made, None, Policy()))
    assert outcome(events).exit_code == 0
    rewritten = {Path(event.output).name for event in events if isinstance(event, StemWritten)}
    assert rewritten.isdisjoint(done)
    assert len(rewritten | done) == 4


def test_workers_end_with_a_parent_that_is_killed(plan: Make) -> None:
    plan(2, seconds=20.0)
    with at_work() as process:
        process.kill()
        told(process)  # until nobody is left who could write to it
    assert not survivors(process.pid)


def test_each_worker_is_told_of_one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, GPU-7")
    assert visible_gpus() == ["3", "GPU-7"]
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert visible_gpus() == ["0", "1"]
    assert usable_cores() >= 1
