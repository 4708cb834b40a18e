"""The folder of a training run: what it was asked, how it went, where it stands."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from sepcli.errors import UsageError
from sepcli.training.config import RunConfig
from sepcli.training.loop import curves
from sepcli.training.loop.checkpoint import State, read_state, write_state
from sepcli.training.loop.environment import environment
from sepcli.training.loop.files import replace, told_of
from sepcli.training.loop.log import Log

if TYPE_CHECKING:
    from sepcli.training.loop.board import Board

CONFIG, ENVIRONMENT, LOG = "config.json", "environment.json", "log.jsonl"
CHECKPOINT = "checkpoint.pt"
BEST = "best-{}.pt"  # with the step
DRAWN_SECONDS = 60.0  # between two drawings of the curves; one takes about a second
NO_BOARD = "TensorBoard is not installed (pip install tensorboard): see log.jsonl and curves.png"


class RunFolder:
    """A run's files. Only rank 0 writes; every write leaves the old file or the new one.

    Args:
        path: of the folder; created with the first file.

    Attributes:
        log: figures of steps.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = Log(path / LOG)
        self._board: Board | None = None
        self._drawn = time.monotonic()

    @property
    def started(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return (self.path / CHECKPOINT).exists()

    def changes(self, config: RunConfig) -> tuple[str, ...]:
        """Keys of a config that have another value in that of the run so far.

        Raises:
            UsageError: if the run's own config is damaged.
        """
        path = self.path / CONFIG
        if not path.exists():
            return ()
        try:
            before = _flat(json.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:
            message = f"{path} is damaged: {error}"
            raise UsageError(message, "delete it: it is written anew from the config") from error
        now = _flat(config.model_dump(mode="json"))
        return tuple(sorted(k for k in before.keys() | now.keys() if before.get(k) != now.get(k)))

    def describe(self, config: RunConfig, device: torch.device) -> None:
        """Write the resolved config and what it is run with.

        Raises:
            OutputError: if the folder cannot be written to.
        """
        with told_of(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        self._write_json(CONFIG, config.model_dump(mode="json"))
        self._write_json(ENVIRONMENT, environment(device))

    def go_on(self, step: int) -> str:
        """Make the logs ready for the steps after one.

        Returns:
            why there is no TensorBoard, or nothing.
        """
        self.log.cut(step)
        try:
            from sepcli.training.loop.board import Board
        except ImportError:
            return NO_BOARD
        self._board = Board(self.path, step)
        return ""

    def tell(self, step: int, **figures: float) -> None:
        """Log figures of a step, also for TensorBoard."""
        self.log.append(step, **figures)
        if self._board is not None:
            self._board.add(step, figures)

    def save(self, parts: Mapping[str, Any], name: str = CHECKPOINT) -> Path:
        """Replace a checkpoint.

        Raises:
            OutputError: if the disk is full; the old checkpoint is still there.
        """
        write_state(self.path / name, parts)
        return self.path / name

    def load(self, name: str = CHECKPOINT) -> State | None:
        """A checkpoint, if there is one.

        Raises:
            UsageError: if it is damaged.
        """
        return read_state(self.path / name)

    def keep_best(self, steps: list[int]) -> None:
        """Delete all best checkpoints but those of some steps."""
        kept = {BEST.format(step) for step in steps}
        for path in self.path.glob(BEST.format("*")):
            if path.name not in kept:
                path.unlink()

    def plot(self, last: bool) -> None:
        """Draw the curves anew, if it is for the last time or has not been done for a while."""
        if last or time.monotonic() - self._drawn > DRAWN_SECONDS:
            curves.plot(self.path)
            self._drawn = time.monotonic()

    def close(self) -> None:
        """Nothing more will be told."""
        if self._board is not None:
            self._board.close()
            self._board = None

    def _write_json(self, name: str, content: Mapping[str, Any]) -> None:
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        replace(self.path / name, lambda file: file.write(text.encode()))


def _flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys joined by dots, as `--set` has them."""
    flat: dict[str, Any] = {}
    for key, value in content.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
