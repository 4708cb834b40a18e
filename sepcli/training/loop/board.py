"""The same figures for TensorBoard, where it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from sepcli.training.loop.files import told_of

FOLDER = "tensorboard"


class Board:
    """Writes scalars.

    Args:
        run: the run's folder.
        step: the first; what an earlier part of the run told of later ones is hidden.
    """

    def __init__(self, run: Path, step: int) -> None:
        self._folder = run / FOLDER
        self._writer = SummaryWriter(str(self._folder), purge_step=step or None)

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Figures of a step.

        Raises:
            OutputError: if the disk is full.
        """
        with told_of(self._folder):
            for name, value in figures.items():
                self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is left.

        Raises:
            OutputError: if the disk is full.
        """
        with told_of(self._folder):
            self._writer.close()
