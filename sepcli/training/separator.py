"""Training of a separator: the network and the objective as the loop sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sepcli.errors import UsageError
from sepcli.training.config import SeparatorConfig
from sepcli.training.loop.checkpoint import read_state, refuse_misfit
from sepcli.training.loop.folder import CHECKPOINT
from sepcli.training.loop.task import Group
from sepcli.training.losses.silence import silence_loss
from sepcli.training.losses.snr import snr_loss
from sepcli.training.mixing.batch import Batch, Role
from sepcli.training.mixing.examiner import Examiner
from sepcli.training.networks import Masker, build_masker
from sepcli.training.objectives.base import Objective
from sepcli.training.teacher import Teacher

VALIDATION_BATCHES = 12
VALIDATION_SIZE = 8


class Trainable(nn.Module):
    """A network with what it learns from; called with a batch it returns the losses."""

    def __init__(self, masker: Masker, objective: Objective) -> None:
        super().__init__()
        self.masker, self.objective = masker, objective

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """`loss` and figures, see `Objective`."""
        losses: dict[str, Tensor] = self.objective(self.masker, batch)
        return losses


@dataclass(frozen=True)
class Examiners:
    """Who asks: in training, and on fixed mixtures of validation sounds."""

    train: Examiner
    validation: Examiner


class SeparatorTask:
    """See `Task`.

    Args:
        config: of the run.
        examiners: of training and validation.
        teacher: that the objective learns from, on the device where the network will be.
        objective: built from the config; its `asking` is what the examiners ask.
    """

    select = "val_snr"

    def __init__(
        self, config: SeparatorConfig, examiners: Examiners, teacher: Teacher, objective: Objective
    ) -> None:
        self.config, self.examiners = config, examiners
        masker = build_masker(config.network, teacher.dimension)
        if config.start is not None:
            start_from(config, masker)
        objective.begin(masker)
        self.module: nn.Module = Trainable(masker, objective)

    def groups(self) -> list[Group]:
        """All parameters, at one rate."""
        return [Group([p for p in self.module.parameters() if p.requires_grad])]

    def batch(self, draw: int, first: int, size: int) -> Batch:
        """Mixtures of training sounds."""
        return self.examiners.train.batch(draw, first, size)

    def validate(self, module: nn.Module) -> dict[str, float]:
        """How well every source of fixed mixtures is answered, and how silent absent ones are."""
        assert isinstance(module, Trainable)
        device = next(module.parameters()).device
        snr, passed = [], []
        for draw in range(VALIDATION_BATCHES):
            batch = self.examiners.validation.batch(draw, 0, VALIDATION_SIZE).to(device)
            ratios, leaks = answered(module, batch)
            snr.append(ratios)
            passed.append(leaks)
        figures = {"val_snr": torch.cat(snr), "val_silence": torch.cat(passed)}
        return {name: float(rows.mean()) for name, rows in figures.items() if len(rows)}

    def after_step(self) -> None:
        """Averages that an objective keeps."""
        assert isinstance(self.module, Trainable)
        self.module.objective.after_step(self.module.masker)


def answered(module: Trainable, batch: Batch) -> tuple[Tensor, Tensor]:
    """What a network makes of questions.

    Returns:
        the signal-to-noise ratio of every answer to a phrase or caption, and what every answer to
        an absent query lets through of the mixture, both in dB and cut at 30 dB.
    """
    masker = module.masker
    estimates = module.objective.estimates(masker, batch)
    losses = snr_loss(estimates, masker.spectrogram(batch.answers))
    leaks = silence_loss(estimates, masker.spectrogram(batch.mixture)[:, None])
    asked = (batch.asks(Role.PHRASE) | batch.asks(Role.CAPTION)) & batch.known
    return -losses[asked], leaks[batch.asks(Role.ABSENT)]


def start_from(config: SeparatorConfig, masker: Masker) -> None:
    """Take over the averaged weights of a finished run.

    Raises:
        UsageError: if that run is not finished, or of another size.
    """
    assert config.start is not None
    path = config.start / CHECKPOINT
    state = read_state(path)
    if state is None:
        message = f"cannot start from {config.start}: there is no {CHECKPOINT}"
        raise UsageError(message, "give a finished run of the same sizes")
    weights = of_masker(state["average"])
    refuse_misfit(weights, masker, path)
    masker.load_state_dict(weights)


def of_masker(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The part of a `Trainable`'s state that is its masker's."""
    prefix = "masker."
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
