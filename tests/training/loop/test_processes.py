"""Trainings in processes of their own: two that share every batch, and one that is killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from small_task import (
    BATCH,
    CPU,
    NAN_DRAW,
    STEPS,
    STOP_DRAW,
    SmallTask,
    config_of,
    logged,
    primitives,
    trained,
    weights,
)

from sepcli.training.loop.distributed import from_first, gathered, joined, world_size

SCRIPT = Path(__file__).with_name("small_task.py")
TORCHRUN = ("-m", "torch.distributed.run", "--nproc_per_node", "2", "--rdzv_backend", "c10d")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two processes left what they did together; the port is a free one."""
    out = tmp_path_factory.mktemp("pair")
    done = run(*TORCHRUN, "--rdzv_endpoint", "localhost:0", str(SCRIPT), str(out))
    assert done.returncode == 0, done.stderr
    return out


def found(pair: Path, rank: int) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((pair / f"found-{rank}.json").read_text())
    return content


def assert_close(first: Path, second: Path) -> None:
    for name in ("loss", "error", "grad_norm"):  # AdamW does not mind a gradient's scale
        assert logged(first, name) == pytest.approx(logged(second, name), abs=1e-5)
    for part in ("module", "average"):
        for key, value in weights(second, part).items():
            torch.testing.assert_close(weights(first, part)[key], value, rtol=0, atol=1e-5)


def test_two_processes_are_one_with_twice_the_batch(pair: Path) -> None:
    trained("whole", SmallTask(BATCH), config_of())
    assert len(logged("whole")) == STEPS
    assert_close(pair / "plain", Path("whole"))


def test_so_are_batches_summed_in_two_processes(pair: Path) -> None:
    trained("whole", SmallTask(BATCH, contrast=0), config_of())
    assert_close(pair / "summed", Path("whole"))


def test_batch_norm_is_different_in_two_processes(pair: Path) -> None:
    trained("whole", SmallTask(BATCH, batch_norm=True), config_of())
    differences = [
        abs(a - b) for a, b in zip(logged("whole"), logged(pair / "normed"), strict=True)
    ]
    assert max(differences) > 1e-3


def test_both_skip_what_is_not_finite_in_one(pair: Path) -> None:
    assert [found(pair, rank)["skips"] for rank in (0, 1)] == [[NAN_DRAW + 1]] * 2
    trained("whole", SmallTask(BATCH, broken=[NAN_DRAW]), config_of())
    assert_close(pair / "nan", Path("whole"))


def test_both_stop_at_a_signal_to_one(pair: Path) -> None:
    assert all(found(pair, rank)["stopped"] for rank in (0, 1))
    state = torch.load(pair / "stopped" / "checkpoint.pt", weights_only=True)
    assert state["step"] == STOP_DRAW + 1


def test_two_processes_go_on_together(pair: Path) -> None:
    for key, value in weights(pair / "plain").items():
        assert torch.equal(weights(pair / "broken")[key], value)
    assert logged(pair / "broken") == logged(pair / "plain")


def test_what_processes_say_to_each_other(pair: Path) -> None:
    both = [found(pair, rank) for rank in (0, 1)]
    for rank, one in enumerate(both):
        assert (one["rank"], one["world"], one["agreed"], one["mean"]) == (rank, 2, 1, 0.5)
        assert one["rows"] == [1, 10, 2, 20]
        assert one["from_first"] == [0, 1]
    # The loss of rank r is (1 + r) sum_k (1 + k) x_k^2: summed over both, 6 (1 + k) x_k.
    assert [one["gradient"] for one in both] == [[6, 120], [36, 480]]
    assert [one["refused"] for one in both] == ["ItemError('no')", "SystemExit(1)"]


def test_this_process_is_the_first_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    place = {"MASTER_ADDR": "localhost", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    for key, value in place.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("RANK", "0")
    second = multiprocessing.get_context("fork").Process(target=take_part, args=(1,))
    second.start()
    found = take_part(0)
    second.join()
    assert second.exitcode == 0
    assert (found["agreed"], found["gradient"]) == (1, [6, 120])
    trained("whole", SmallTask(BATCH, contrast=0), config_of())
    assert_close(Path("run"), Path("whole"))


def take_part(rank: int) -> dict[str, Any]:
    """What a process of two finds, after a training with the other."""
    os.environ["RANK"] = str(rank)
    config = config_of(batch=BATCH // 4, loop={"accumulate": 2})
    with joined(CPU):
        trained("run", SmallTask(BATCH // 2, contrast=0), config)
        return primitives()


def test_a_process_by_itself_has_no_others() -> None:
    mine = torch.ones(2)
    assert gathered(mine) is mine
    assert world_size() == 1
    assert from_first(lambda: 3) == 3


def test_a_killed_run_ends_like_a_whole_one() -> None:
    step = random.randrange(2, STEPS)
    values = {"loop": {"save_every": 2, "accumulate": 2, "workers": 1}}
    killed = run(str(SCRIPT), "killed", str(step), json.dumps(values))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    config = config_of(**values)
    trained("killed", SmallTask(BATCH, dropout=0.3), config)
    trained("whole", SmallTask(BATCH, dropout=0.3), config)
    for part in ("module", "average"):
        for key, value in weights("whole", part).items():
            assert torch.equal(value, weights("killed", part)[key]), (step, key)
    assert logged("killed") == logged("whole")
