"""One step of an optimiser, on as many batches and processes as it takes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from sepcli.errors import MemoryExhausted, UsageError
from sepcli.training.config import RunConfig
from sepcli.training.loop.average import Average
from sepcli.training.loop.distributed import agreed, mean, rank, world_size
from sepcli.training.loop.guard import undone_on_error
from sepcli.training.loop.precision import Precision
from sepcli.training.loop.schedule import SCALE, rate_factor, set_rate
from sepcli.training.loop.seeding import seed_everything
from sepcli.training.loop.task import Task

GRAD_NORM = "grad_norm"  # figure: of the gradient, before it is clipped


class NotFinite(ArithmeticError):
    """The loss or the gradient of a step is infinite or not a number, in some process."""


class Stepper:
    """A module, its optimiser and its average.

    Args:
        task: what is trained; its module is moved to the device.
        config: of the run.
        device: that computes.

    Attributes:
        average: of the module's weights.
        whole: whether they are those after a step, and not on the way from one to the next.

    Raises:
        UsageError: if the device has not the precision wanted.
    """

    def __init__(self, task: Task, config: RunConfig, device: torch.device) -> None:
        self._task, self._config, self._device = task, config, device
        self._precision = Precision(config.loop.precision, device)
        self._module = task.module.to(device)
        groups = [{"params": g.parameters, SCALE: g.scale} for g in task.groups()]
        self._optimizer = torch.optim.AdamW(
            groups, lr=config.lr, weight_decay=config.loop.weight_decay
        )
        self._trained = [p for group in task.groups() for p in group.parameters]
        self._replica = replica(self._module, device)
        self.average = Average(self._module, config.loop.ema)
        self.whole = True

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum(parameter.numel() for parameter in self._trained)

    def rate(self, step: int) -> float:
        """The learning rate after so many steps."""
        config = self._config
        return config.lr * rate_factor(step, config.steps, config.schedule)

    def step(self, step: int, batches: list[Any]) -> dict[str, float]:
        """Move the module by the mean gradient of batches.

        Args:
            step: number of steps taken before.
            batches: `accumulate` of them, on the CPU or the device.

        Returns:
            means of the figures over batches and processes, and the norm of the gradient.

        Raises:
            NotFinite: if nothing was moved because the loss or the gradient is not finite.
            MemoryExhausted: if the batch is too large for the device.
        """
        with undone_on_error(self._module):
            figures = self._gradient(step, batches)
            finite = math.isfinite(figures["loss"]) and math.isfinite(figures[GRAD_NORM])
            if agreed(not finite, self._device):
                self._precision.scaler.update()
                raise NotFinite
        self.whole = False
        self._move(step)
        self.whole = True
        return figures

    def _gradient(self, step: int, batches: list[Any]) -> dict[str, float]:
        self._module.train()
        self._optimizer.zero_grad()
        rows = []
        try:
            for number, batch in enumerate(batches):
                seed_everything(self._config.seed, step, number, rank())
                rows.append(self._backward(batch, len(batches), number + 1 == len(batches)))
        except torch.OutOfMemoryError as error:
            remedy = "halve `batch` and double `loop.accumulate`"
            raise MemoryExhausted("a batch does not fit into memory", remedy) from error
        self._precision.scaler.unscale_(self._optimizer)
        most = self._config.loop.clip or math.inf
        norm = nn.utils.clip_grad_norm_(self._trained, most)
        return {**means(rows), GRAD_NORM: float(norm)}

    def _backward(self, batch: Any, of: int, last: bool) -> Mapping[str, Tensor]:
        """Add a batch's part of the gradient; the last one's pass averages over processes."""
        with self._apart(last):
            with self._precision.autocast():
                figures: Mapping[str, Tensor] = self._replica(batch.to(self._device))
            self._precision.scaler.scale(figures["loss"] / of).backward()
        return figures

    def _apart(self, last: bool) -> AbstractContextManager[None]:
        if last or not isinstance(self._replica, DistributedDataParallel):
            return nullcontext()
        return self._replica.no_sync()

    def _move(self, step: int) -> None:
        set_rate(self._optimizer, self.rate(step))
        self._precision.scaler.step(self._optimizer)
        self._precision.scaler.update()
        self._task.after_step()
        self.average.update(self._module)

    def state_dict(self) -> dict[str, Any]:
        """All that further steps depend on; `average` are the weights to be used."""
        return {
            "module": self._module.state_dict(),
            "average": self.average.state,
            "updates": self.average.updates,
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._precision.scaler.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to what `state_dict` gave.

        Raises:
            UsageError: if other parameters were trained then.
        """
        try:
            self._optimizer.load_state_dict(state["optimizer"])
        except ValueError as error:
            message = f"the checkpoint is of another training: {error}"
            raise UsageError(message, "resume with the config of that run") from error
        self._module.load_state_dict(state["module"])
        self.average.load(state["average"], state["updates"])
        if state["scaler"]:
            self._precision.scaler.load_state_dict(state["scaler"])


def replica(module: nn.Module, device: torch.device) -> nn.Module:
    """The module, or what shares its gradients with the other processes, if there are any."""
    if world_size() == 1:
        return module
    return DistributedDataParallel(module, [device] if device.type == "cuda" else None)


def means(rows: Sequence[Mapping[str, Tensor]]) -> dict[str, float]:
    """Of every figure, over batches and processes."""
    table = torch.stack([torch.stack([row[k].detach().float() for k in rows[0]]) for row in rows])
    return dict(zip(rows[0], mean(table.mean(dim=0)).tolist(), strict=True))
