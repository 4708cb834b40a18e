"""The learning rate as a function of the step, and of nothing else.

A schedule has no state. A resumed run computes the rate that an unbroken one would, and a run
that is resumed with more steps or another rate follows the new schedule from there on.
"""

from __future__ import annotations

import math

from torch.optim import Optimizer

from sepcli.training.config import ScheduleConfig

SCALE = "scale"  # key of an optimiser's group: its part of the config's rate


def rate_factor(step: int, steps: int, schedule: ScheduleConfig) -> float:
    """What the learning rate is multiplied by at a step.

    With w = round(warmup * steps), step s < w has (s + 1) / w, so that no step is wasted at
    rate 0. From there on, t = (s - w) / (steps - w) runs over [0, 1), and `cosine` has
    (1 + cos(pi t)) / 2 (Loshchilov & Hutter, SGDR, 2017, eq. 5, without restarts), `step`
    factor^floor(s / every), `constant` 1.

    Args:
        step: number of steps taken before.
        steps: of the whole run.
        schedule: its kind and constants.
    """
    warm = round(schedule.warmup * steps)
    if step < warm:
        return (step + 1) / warm
    if schedule.name == "constant":
        return 1.0
    if schedule.name == "step":
        return float(schedule.factor ** (step // schedule.every))
    passed = (step - warm) / max(1, steps - warm)
    return (1 + math.cos(math.pi * min(passed, 1.0))) / 2


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Give every group its part of a learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group[SCALE]
