"""A training from its first step, or its last checkpoint, to its end.

A run is a function of its config and its data. Batches are decided by their draws, random
numbers by the step (see `seeding`), the learning rate by the step (see `schedule`), and a
checkpoint holds the rest. So a run that was killed and goes on ends, on a CPU, with the weights
of one that was not, bit by bit.

Across processes, rank 0 alone validates and writes; losses that are not finite and signals count
for all if one process has seen them. What BatchNorm changes is told in `distributed`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import torch

from sepcli.errors import OutputError
from sepcli.training.config import RunConfig
from sepcli.training.loop.checkpoint import State, refuse_misfit
from sepcli.training.loop.distributed import agreed, from_first, rank, world_size
from sepcli.training.loop.environment import device_name
from sepcli.training.loop.events import (
    Event,
    Finished,
    Noted,
    Saved,
    Skipped,
    Started,
    Stepped,
    Validated,
)
from sepcli.training.loop.folder import BEST, CHECKPOINT, RunFolder
from sepcli.training.loop.guard import Diverged, Guard
from sepcli.training.loop.held import HeldSignals
from sepcli.training.loop.loader import batches
from sepcli.training.loop.pace import Pace
from sepcli.training.loop.seeding import seed_everything
from sepcli.training.loop.stepper import NotFinite, Stepper
from sepcli.training.loop.task import Task
from sepcli.training.loop.top_k import TopK

LINES = 2000  # of a log about single steps, at most about


class Trainer:
    """Trains a task in a folder, going on from the folder's checkpoint if there is one.

    Args:
        task: what is trained.
        config: of the run; its `batch` is that of one process.
        folder: of the run.
        device: of this process, see `local_device`.
        title: of this part of the run, for displays.

    Attributes:
        step: how many were taken.
        stepper: holds the averaged weights.

    Raises:
        UsageError: if the device has not the precision wanted.
    """

    def __init__(
        self,
        task: Task,
        config: RunConfig,
        folder: RunFolder,
        device: torch.device,
        title: str = "training",
    ) -> None:
        self._task, self._config, self._folder, self._device = task, config, folder, device
        self._title = title
        self.stepper = Stepper(task, config, device)
        self.step = 0
        loop = config.loop
        self._top = TopK(loop.select or task.select, loop.keep, loop.patience)
        self._samples = config.batch * loop.accumulate * world_size()  # of a step
        self._guard, self._signals = Guard(), HeldSignals()
        self._saved = self._validated = 0  # steps taken then
        self._batches: Iterator[Any] = iter(())

    def run(self) -> Iterator[Event]:
        """Take the steps that are left; tells of each.

        SIGINT and SIGTERM wait for the end of the step; a checkpoint is written before they take
        effect, and also if the caller closes this generator or something fails between steps.

        Raises:
            UsageError: if the checkpoint is damaged or of another architecture, or the
                validation figure to select by is unknown.
            Diverged: if loss or gradient stay infinite.
            MemoryExhausted: if a batch is too large.
            OutputError: if the disk is full; the last checkpoint is still there.
        """
        with self._signals:
            try:
                yield from self._open()
                yield from self._steps()
            except BaseException as error:
                self._rescue(error)
                raise
            finally:
                self._batches = iter(())  # ends the workers
                self._folder.close()

    def _open(self) -> Iterator[Event]:
        state = from_first(self._folder.load)
        if state is not None:
            self._restore(state)
        changed, note = from_first(self._describe)
        loop, config = self._config.loop, self._config
        draws = range(self.step * loop.accumulate, config.steps * loop.accumulate)
        self._batches = batches(self._task, config.batch, draws, loop.workers)
        self._pace = Pace(self._samples)
        name, size = device_name(self._device), self.stepper.parameters
        yield Started(self.step, config.steps, size, name, world_size(), changed, self._title)
        if note:
            yield Noted(note)

    def _describe(self) -> tuple[tuple[str, ...], str]:
        changed = self._folder.changes(self._config)
        self._folder.describe(self._config, self._device)
        self._folder.keep_best(self._top.steps)
        return changed, self._folder.go_on(self.step)

    def _steps(self) -> Iterator[Event]:
        while True:
            if self._due():
                yield from self._take_stock()
            if reason := self._reason_to_end():
                best = None if self._top.best is None else self._top.best.step
                yield Finished(self.step, reason, best)
                return
            self._stop_if_asked()
            yield self._take_step()

    def _due(self) -> bool:
        at = self.step == self._config.steps or self.step % self._config.loop.save_every == 0
        return at and self.step != self._validated

    def _reason_to_end(self) -> Literal["steps", "patience", ""]:
        if self._top.exhausted:
            return "patience"
        return "steps" if self.step >= self._config.steps else ""

    def _stop_if_asked(self) -> None:
        number = agreed(self._signals.number, self._device)
        if number:
            from_first(self._save)
            self._signals.obey(number)

    def _take_step(self) -> Event:
        with self._pace.waiting():
            taken = [next(self._batches) for _ in range(self._config.loop.accumulate)]
        try:
            figures: Mapping[str, float] | None = self.stepper.step(self.step, taken)
        except NotFinite:
            figures = None
        self.step += 1
        self._guard.count(figures is None, self.step)
        if figures is None:
            self._tell(skipped=1)
            return Skipped(self.step, self._guard.in_a_row)
        if self.step % max(1, self._config.steps // LINES) == 0:
            self._tell(**figures, lr=self.stepper.rate(self.step - 1))
        return Stepped(self.step, self._config.steps, figures, *self._pace.stepped())

    def _tell(self, **figures: float) -> None:
        if rank() == 0:
            self._folder.tell(self.step, **figures)

    def _take_stock(self) -> list[Event]:
        figures = from_first(self._validate)
        better = self._top.offer(self.step, figures)
        self._validated = self.step
        path = from_first(lambda: self._keep(figures))
        self._pace.pause()
        return [Validated(self.step, figures, better), Saved(self.step, str(path))]

    def _validate(self) -> dict[str, float]:
        seed_everything(self._config.seed, "validation")
        with self.stepper.average.lent(self._task.module), torch.no_grad():
            return self._task.validate(self._task.module)

    def _keep(self, figures: Mapping[str, float]) -> Path:
        """Best checkpoint first, so that one that the run's checkpoint lists is there."""
        self._tell(**figures)
        if self.step in self._top.steps:
            average = self.stepper.average.state
            parts = {"step": self.step, "figures": dict(figures), "average": average}
            self._folder.save(parts, BEST.format(self.step))
        path = self._save()
        self._folder.keep_best(self._top.steps)
        self._folder.plot(last=bool(self._reason_to_end()))
        return path

    def _save(self) -> Path:
        """Replace the run's checkpoint."""
        parts = {"step": self.step, "validated": self._validated, "top": self._top.state_dict()}
        path = self._folder.save({**parts, **self.stepper.state_dict()})
        self._saved = self.step
        return path

    def _restore(self, state: State) -> None:
        refuse_misfit(state["module"], self._task.module, self._folder.path / CHECKPOINT)
        self.stepper.load_state_dict(state)
        self._top.load_state_dict(state["top"])
        self.step = self._saved = int(state["step"])
        self._validated = int(state["validated"])

    def _rescue(self, error: BaseException) -> None:
        """Keep the last whole step, unless it is kept, not worth it, or could not be written."""
        unsaved = self.stepper.whole and self.step > self._saved
        if unsaved and rank() == 0 and not isinstance(error, (OutputError, Diverged)):
            self._save()
