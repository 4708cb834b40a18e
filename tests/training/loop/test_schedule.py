"""Learning rates against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from sepcli.training.config import ScheduleConfig
from sepcli.training.loop.schedule import SCALE, rate_factor, set_rate


def test_the_rate_rises_in_equal_parts() -> None:
    schedule = ScheduleConfig(warmup=0.1)
    factors = [rate_factor(step, 100, schedule) for step in range(11)]
    assert factors == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.0])


def test_cosine_falls_to_zero_after_the_last_step() -> None:
    schedule = ScheduleConfig(warmup=0.2)
    assert rate_factor(20, 100, schedule) == 1
    assert rate_factor(60, 100, schedule) == pytest.approx(0.5)
    assert rate_factor(40, 100, schedule) == pytest.approx((1 + math.sqrt(0.5)) / 2)
    assert rate_factor(99, 100, schedule) == pytest.approx(math.sin(math.pi / 160) ** 2)
    assert rate_factor(100, 100, schedule) == rate_factor(120, 100, schedule) == 0


def test_cosine_is_that_of_torch() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=0.3)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=50)
    for step in range(50):
        ours = 0.3 * rate_factor(step, 50, ScheduleConfig(warmup=0))
        assert ours == pytest.approx(theirs.get_last_lr()[0], abs=1e-9)
        optimizer.step()
        theirs.step()


def test_steps_and_a_constant() -> None:
    falling = ScheduleConfig(name="step", warmup=0, every=10, factor=0.5)
    assert [rate_factor(s, 100, falling) for s in (0, 9, 10, 25, 39)] == [1, 1, 0.5, 0.25, 0.125]
    constant = ScheduleConfig(name="constant", warmup=0.02)
    assert [rate_factor(s, 100, constant) for s in (0, 1, 2, 99)] == [0.5, 1, 1, 1]
    assert rate_factor(2, 3, ScheduleConfig(warmup=1)) == 1


def test_groups_get_their_part_of_the_rate() -> None:
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    groups = [{"params": [p], SCALE: scale} for p, scale in zip(parameters, (1, 0.1), strict=True)]
    optimizer = torch.optim.AdamW(groups)
    set_rate(optimizer, 0.5)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.5, 0.05])
