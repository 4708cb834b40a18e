"""A training small enough for tests, and what several processes do with it.

A network with a norm over each item regresses targets, and a contrast compares the embeddings
of all items of all processes. Under torchrun this file is a script, see `main`.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sepcli.errors import ItemError
from sepcli.training.config import RunConfig
from sepcli.training.loop import curves
from sepcli.training.loop.distributed import (
    agreed,
    from_first,
    gathered,
    joined,
    mean,
    rank,
    world_size,
)
from sepcli.training.loop.events import Event, Skipped, Stepped
from sepcli.training.loop.folder import RunFolder
from sepcli.training.loop.task import Group
from sepcli.training.loop.trainer import Trainer

CPU = torch.device("cpu")
STEPS, BATCH = 6, 8  # of the whole, in the comparison of one process with two
NAN_DRAW, STOP_DRAW = 2, 3  # in which only rank 1 has NaN; in which only rank 1 gets a signal


@dataclass(frozen=True)
class Pairs:
    """Two views of items, (batch, 6) each, their targets (batch,), and what to break."""

    views: tuple[Tensor, Tensor]
    target: Tensor
    factor: float = 1.0

    def to(self, device: torch.device) -> Pairs:
        return Pairs((self.views[0].to(device), self.views[1].to(device)), self.target, self.factor)


class Network(nn.Module):
    """Embeddings of length 1 and a regression."""

    def __init__(self, dropout: float, contrast: float, batch_norm: bool) -> None:
        super().__init__()
        norm = nn.BatchNorm1d(8) if batch_norm else nn.LayerNorm(8)
        self.body = nn.Sequential(nn.Linear(6, 8), norm, nn.GELU(), nn.Dropout(dropout))
        self.head, self.value = nn.Linear(8, 5), nn.Linear(8, 1)
        self.log_scale = nn.Parameter(torch.tensor(1.0))
        self.contrast = contrast

    def forward(self, batch: Pairs) -> dict[str, Tensor]:
        hidden = [self.body(view) for view in batch.views]
        a, b = (gathered(F.normalize(self.head(h), dim=1)) for h in hidden)
        contrast = F.cross_entropy(self.log_scale.exp() * a @ b.T, torch.arange(len(a)))
        error = F.mse_loss(self.value(hidden[0])[:, 0], batch.target)
        loss = (error + self.contrast * contrast) * batch.factor
        return {"loss": loss, "contrast": contrast.detach(), "error": error.detach()}


class SmallTask:
    """Items are numbered through all draws, so that two batches are the halves of a large one.

    Args:
        per_draw: items of a draw.
        broken: draws whose loss is NaN.
        bad: draws that cannot be mixed.
        figures: what validations find, one after another; then the error on fixed items.
    """

    select = "-error"

    def __init__(
        self,
        per_draw: int,
        broken: Sequence[int] = (),
        bad: Sequence[int] = (),
        figures: Sequence[float] = (),
        dropout: float = 0.0,
        contrast: float = 0.5,
        batch_norm: bool = False,
    ) -> None:
        torch.manual_seed(7)
        self.module: nn.Module = Network(dropout, contrast, batch_norm)
        self.per_draw, self.broken, self.bad = per_draw, broken, bad
        self.figures = list(figures)
        self.moved = 0

    def groups(self) -> list[Group]:
        assert isinstance(self.module, Network)
        scale = self.module.log_scale
        others = [p for p in self.module.parameters() if p is not scale]
        return [Group(others), Group([scale], 0.1)]

    def batch(self, draw: int, first: int, size: int) -> Pairs:
        if draw in self.bad:
            raise ItemError("a sound is broken", "mend it")
        factor = math.nan if draw in self.broken else 1.0
        return pairs(draw * self.per_draw + first, size, factor)

    def validate(self, module: nn.Module) -> dict[str, float]:
        assert not module.training
        assert not torch.is_grad_enabled()
        if self.figures:
            return {"error": self.figures.pop(0)}
        figures: dict[str, Tensor] = module(pairs(10_000, 16))
        return {"error": float(figures["error"])}

    def after_step(self) -> None:
        self.moved += 1


def pairs(first: int, size: int, factor: float = 1.0) -> Pairs:
    """So many items, from a number on."""
    rows = [item(first + i) for i in range(size)]
    x, noise, target = (torch.stack(column) for column in zip(*rows, strict=True))
    return Pairs((x, x + 0.1 * noise), target, factor)


def item(number: int) -> tuple[Tensor, Tensor, Tensor]:
    """Values decided by a number alone."""
    generator = torch.Generator().manual_seed(number)
    x, noise = torch.randn(2, 6, generator=generator)
    return x, noise, x[0] * x[1]


def config_of(**values: Any) -> RunConfig:
    """A config without corpora that matter."""
    common = {"corpora": [{"kind": "esc10", "root": "."}], "seconds": 1, "steps": STEPS}
    loop = {"save_every": 1000, **values.pop("loop", {})}
    return RunConfig.model_validate({**common, "batch": BATCH, "lr": 0.05, "loop": loop, **values})


def trained(
    folder: Path | str, task: SmallTask, config: RunConfig, until: int | None = None
) -> list[Event]:
    """Events of a run; closed after some steps if wanted."""
    run, events = Trainer(task, config, RunFolder(Path(folder)), CPU).run(), []
    for event in run:
        events.append(event)
        if until is not None and isinstance(event, Stepped) and event.step == until:
            run.close()
            break
    return events


def logged(folder: Path | str, name: str = "loss") -> list[float]:
    """A figure, as it was logged step by step."""
    lines = [json.loads(line) for line in (Path(folder) / "log.jsonl").read_text().splitlines()]
    return [line[name] for line in lines if name in line]


def weights(folder: Path | str, part: str = "module") -> dict[str, Tensor]:
    """Of a run's checkpoint."""
    state: dict[str, Tensor] = torch.load(Path(folder) / "checkpoint.pt", weights_only=True)[part]
    return state


class Signalled(BaseException):
    """What the test's handler makes of a signal."""


class BrokenInOne(SmallTask):
    """In one draw, the second process's loss is NaN."""

    def batch(self, draw: int, first: int, size: int) -> Pairs:
        self.broken = (NAN_DRAW,) if rank() == 1 else ()
        return super().batch(draw, first, size)


class StoppedInOne(SmallTask):
    """In one draw, the second process is sent a signal."""

    def batch(self, draw: int, first: int, size: int) -> Pairs:
        if draw == STOP_DRAW and rank() == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().batch(draw, first, size)


def raise_signalled(number: int, _frame: object) -> None:
    raise Signalled


def together(out: Path) -> dict[str, Any]:
    """All that two processes are asked to do; what each of them found."""
    half = config_of(batch=BATCH // 2)
    trained(out / "plain", SmallTask(BATCH), half)
    trained(out / "normed", SmallTask(BATCH, batch_norm=True), half)
    summed = config_of(batch=BATCH // 4, loop={"accumulate": 2, "workers": 1})
    trained(out / "summed", SmallTask(BATCH // 2, contrast=0), summed)
    skips = [
        e.step for e in trained(out / "nan", BrokenInOne(BATCH), half) if isinstance(e, Skipped)
    ]
    trained(out / "broken", SmallTask(BATCH), half, until=3)
    trained(out / "broken", SmallTask(BATCH), half)
    return {"skips": skips, "stopped": stopped(out, half), **primitives()}


def stopped(out: Path, config: RunConfig) -> bool:
    """Whether this process was stopped by the signal that the second one got."""
    signal.signal(signal.SIGTERM, raise_signalled)
    try:
        trained(out / "stopped", StoppedInOne(BATCH), config)
    except Signalled:
        return True
    return False


def primitives() -> dict[str, Any]:
    """Results of the functions that processes talk by."""
    mine = torch.tensor([[1.0 + rank()], [10.0 * (1 + rank())]], requires_grad=True)
    rows = gathered(mine)
    (rows[:, 0] ** 2 * torch.tensor([1.0, 2.0, 3.0, 4.0]) * (1 + rank())).sum().backward()
    return {
        "rank": rank(),
        "world": world_size(),
        "rows": rows[:, 0].tolist(),
        "gradient": mine.grad[:, 0].tolist() if mine.grad is not None else None,
        "agreed": agreed(rank(), CPU),
        "mean": float(mean(torch.tensor(float(rank())))),
        "from_first": from_first(lambda: [rank(), world_size()]),
        "refused": refused(),
    }


def refused() -> str:
    """What an error of the first process is in each of them."""

    def fail() -> None:
        raise ItemError("no", "remedy")

    try:
        from_first(fail)
    except (ItemError, SystemExit) as error:
        return repr(error)
    return "nothing"


def main() -> None:
    """Under torchrun: write what this process found. Alone: train, and kill itself if told to."""
    out = Path(sys.argv[1])
    torch.set_num_threads(1)
    curves.plot = lambda folder: folder  # takes longer than all else here
    if len(sys.argv) > 2:
        kill(out, int(sys.argv[2]), json.loads(sys.argv[3]))
        return
    with joined(CPU):
        found = together(out)
        (out / f"found-{rank()}.json").write_text(json.dumps(found))


def kill(out: Path, step: int, values: dict[str, Any]) -> None:
    """Train, and end without a chance to clean up."""
    run = Trainer(SmallTask(BATCH, dropout=0.3), config_of(**values), RunFolder(out), CPU).run()
    for event in run:
        if isinstance(event, Stepped) and event.step == step:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
