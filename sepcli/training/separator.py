"""Training of a separator: the network and the objective as the loop sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from sepcli.errors import UsageError
from sepcli.registry.load import load
from sepcli.registry.store import Registry
from sepcli.training.config import SeparatorConfig
from sepcli.training.load_config import MODEL
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

PRESENCE = ".presence."  # in the names of its weights
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
            start_from(config.start, masker)
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


def start_from(reference: str, masker: Masker) -> None:
    """Take over the weights of a finished run (its folder) or of a model (`model:NAME`).

    All but those of the presence score, which judges another network and is trained anew.

    Raises:
        UsageError: if the run is not finished, or either is of another size.
        ModelError: if the model is unknown or damaged.
    """
    if reference.startswith(MODEL):
        network = load(Registry().find(reference.removeprefix(MODEL))).network
        assert isinstance(network, nn.Module)
        found = {f"network.{key}": value for key, value in network.state_dict().items()}
    else:
        found = of_masker(finished_state(Path(reference)))
    own = {key: value for key, value in masker.state_dict().items() if PRESENCE in key}
    weights = own | {key: value for key, value in found.items() if PRESENCE not in key}
    refuse_misfit(weights, masker, reference)
    masker.load_state_dict(weights)


def finished_state(run: Path) -> Mapping[str, Tensor]:
    """The averaged weights of a run.

    Raises:
        UsageError: if it has none.
    """
    state = read_state(run / CHECKPOINT)
    if state is None:
        message = f"cannot start from {run}: there is no {CHECKPOINT}"
        raise UsageError(message, "give a finished run, or model:NAME")
    average: Mapping[str, Tensor] = state["average"]
    return average


def of_masker(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The part of a `Trainable`'s state that is its masker's."""
    prefix = "masker."
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
