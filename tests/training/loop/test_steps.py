"""What one step does: scaled, clipped, averaged, skipped, and timed."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import torch
from small_task import CPU, SmallTask, config_of

from sepcli.errors import MemoryExhausted, UsageError
from sepcli.training.loop import pace, precision
from sepcli.training.loop.distributed import local_device
from sepcli.training.loop.guard import MOST_IN_A_ROW, Diverged, Guard, undone_on_error
from sepcli.training.loop.pace import Pace
from sepcli.training.loop.precision import Precision
from sepcli.training.loop.seeding import seed_everything
from sepcli.training.loop.stepper import NotFinite, Stepper


def test_precisions_that_a_device_has_not() -> None:
    with pytest.raises(UsageError, match="fp16 needs an NVIDIA GPU"):
        Precision("fp16", CPU)
    with pytest.raises(UsageError, match="bf16 is for"):
        Precision("bf16", torch.device("mps"))


def test_bf16_on_a_gpu_that_has_it_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    with pytest.raises(UsageError, match="does not compute in bf16"):
        precision.refuse_impossible("bf16", torch.device("cuda"))


@pytest.mark.parametrize(("name", "kind"), [("bf16", torch.bfloat16), ("float32", torch.float32)])
def test_what_is_computed_in_which_precision(
    name: precision.PrecisionName, kind: torch.dtype
) -> None:
    with Precision(name, CPU).autocast():
        assert torch.nn.Linear(2, 2)(torch.ones(1, 2)).dtype == kind


def test_bf16_learns() -> None:
    config = config_of(loop={"precision": "bf16"})
    task = SmallTask(8)
    stepper = Stepper(task, config, CPU)
    losses = [stepper.step(0, [task.batch(0, 0, 8)])["loss"] for _ in range(20)]
    assert losses[-1] < losses[0] - 0.5


def test_fp16_lowers_its_scale_until_gradients_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "refuse_impossible", lambda *_: None)  # as if on a GPU
    task = SmallTask(8)
    stepper = Stepper(task, config_of(loop={"precision": "fp16"}), CPU)
    before = {k: v.clone() for k, v in task.module.state_dict().items()}
    batch = task.batch(0, 0, 8)
    loud = type(batch)(batch.views, batch.target, factor=100.0)
    with pytest.raises(NotFinite):
        stepper.step(0, [loud])
    assert stepper.state_dict()["scaler"]["scale"] == 32768
    assert all(torch.equal(before[k], v) for k, v in task.module.state_dict().items())
    for _ in range(15):
        try:
            figures = stepper.step(0, [loud])
        except NotFinite:
            continue
        break
    exact = Stepper(SmallTask(8), config_of(), CPU).step(0, [loud])
    assert figures["grad_norm"] == pytest.approx(exact["grad_norm"], rel=0.02)
    again = Stepper(SmallTask(8), config_of(loop={"precision": "fp16"}), CPU)
    again.load_state_dict(stepper.state_dict())
    assert again.state_dict()["scaler"] == stepper.state_dict()["scaler"]


def test_gradients_are_clipped_to_a_length(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = []

    def spy(parameters: list[torch.nn.Parameter]) -> None:
        gradients = [p.grad.flatten() for p in parameters if p.grad is not None]
        lengths.append(float(torch.cat(gradients).norm()))

    for clip in (0.25, None):
        task = SmallTask(8)
        stepper = Stepper(task, config_of(loop={"clip": clip}), CPU)
        monkeypatch.setattr(task, "after_step", lambda t=task: spy(list(t.module.parameters())))
        lengths.append(stepper.step(0, [task.batch(0, 0, 8)])["grad_norm"])
    clipped, norm, free, same = lengths
    assert clipped == pytest.approx(0.25, rel=1e-4)
    assert free == pytest.approx(norm, rel=1e-5)
    assert norm == same > 0.25


def test_a_skipped_step_moves_no_statistics() -> None:
    task = SmallTask(8, broken=[1], batch_norm=True)
    stepper = Stepper(task, config_of(), CPU)
    stepper.step(0, [task.batch(0, 0, 8)])
    before = {k: v.clone() for k, v in task.module.state_dict().items()}
    with pytest.raises(NotFinite):
        stepper.step(1, [task.batch(1, 0, 8)])
    assert all(torch.equal(before[k], v) for k, v in task.module.state_dict().items())
    assert int(before["body.1.num_batches_tracked"]) == 2  # two views
    assert task.moved == 1


def test_buffers_are_given_back_after_an_error() -> None:
    norm = torch.nn.BatchNorm1d(2)
    with pytest.raises(RuntimeError, match="size mismatch"), undone_on_error(norm):
        norm(torch.randn(4, 2)) @ torch.ones(3)
    assert torch.equal(norm.get_buffer("running_mean"), torch.zeros(2))
    with undone_on_error(norm):
        norm(torch.randn(4, 2))
    assert norm.get_buffer("running_mean").abs().min() > 0


def test_memory_that_runs_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    task = SmallTask(8)
    stepper = Stepper(task, config_of(), CPU)

    def run_out(_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory (pretended)")

    monkeypatch.setattr(task.module, "forward", run_out)
    with pytest.raises(MemoryExhausted) as caught:
        stepper.step(0, [task.batch(0, 0, 8)])
    assert "halve `batch`" in caught.value.remedy
    assert stepper.whole


def test_a_run_of_nothing_but_skipped_steps_ends() -> None:
    guard = Guard()
    for step in range(MOST_IN_A_ROW - 1):
        guard.count(True, step)
    guard.count(False, 50)
    assert guard.in_a_row == 0
    for step in range(MOST_IN_A_ROW - 1):
        guard.count(True, step)
    with pytest.raises(Diverged, match="diverged") as caught:
        guard.count(True, 99)
    assert caught.value.exit_code == 1


def test_random_numbers_depend_on_the_place_alone() -> None:
    def drawn(*place: object) -> tuple[float, float, float]:
        seed_everything(*place)
        return random.random(), float(np.random.rand()), float(torch.rand(1))

    assert drawn(1, 2) == drawn(1, 2)
    assert not set(drawn(1, 2)) & set(drawn(1, 3))
    assert not set(drawn(1, 23)) & set(drawn(12, 3))


def test_speed_and_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(pace.time, "monotonic", lambda: now)
    clock = Pace(samples=10)
    for _ in range(3):
        with clock.waiting():
            now += 1.0
        now += 3.0
        assert clock.stepped() == (pytest.approx(2.5), pytest.approx(0.25))
    now += 100.0
    clock.pause()
    with clock.waiting():
        now += 2.0
    assert clock.stepped() == (pytest.approx(5.0), pytest.approx(1.0))
    for _ in range(pace.STEPS):
        now += 1.0
        last = clock.stepped()
    assert last == (pytest.approx(10.0), 0.0)


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    assert local_device("cpu") == CPU
    chosen = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="no cuda device here"):
        local_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert local_device("cuda") == torch.device("cuda", 1)
    assert chosen == [1]
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(UsageError, match="finds only 2 GPUs"):
        local_device("cuda")


def test_norms_of_gradients_are_not_rounded_away() -> None:
    task = SmallTask(8)
    figures = Stepper(task, config_of(), CPU).step(0, [task.batch(0, 0, 8)])
    twin = SmallTask(8)
    twin.module(twin.batch(0, 0, 8))["loss"].backward()
    squares = [
        float(p.grad.double().pow(2).sum()) for p in twin.module.parameters() if p.grad is not None
    ]
    assert figures["grad_norm"] == pytest.approx(math.sqrt(sum(squares)), rel=1e-6)
