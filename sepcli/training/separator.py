"""Supervised training of a BandUNet: every mixture's sources are known.

Each mixture is asked two questions. Most ask for one of its sources and are scored by the
signal-to-noise ratio of the answer; the others ask for a sound that is not there, and the
answer should be silence. What tells the two apart is trained afterwards, see
`sepcli.training.presence`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sepcli.audio.stft import stft
from sepcli.errors import UsageError
from sepcli.nets.band_unet import BandUNet
from sepcli.nets.bands import common_magnitude
from sepcli.query.tokens import WordPieces
from sepcli.training.clap import Clap
from sepcli.training.config import ClapConfig, SeparatorConfig
from sepcli.training.corpus import RATE, Sound
from sepcli.training.examiner import Batch, Examiner, repeat_each
from sepcli.training.losses import silence_loss, snr_loss
from sepcli.training.mixing import Pantry
from sepcli.training.ontology import Ontology
from sepcli.training.presence import train_presence
from sepcli.training.run import Average, RunFolder

QUESTIONS = 2  # per mixture
QUERY_NOISE = 0.2  # length of the random vector added to a query: neighbours mean the same
ABSENT_WEIGHT = 0.2  # of a dB let through for an absent query, against a dB of SNR
VALIDATION_MIXTURES = 96


def train_separator(
    config: SeparatorConfig, out: Path, sounds: list[Sound]
) -> Iterator[dict[str, float]]:
    """Train from scratch, or go on from the folder's checkpoint; yields figures of every step."""
    torch.manual_seed(config.seed)
    run = RunFolder(out, config)
    clap, tokens = teacher_pair(config.clap)
    ontology = Ontology.load()
    parts = {
        split: Pantry([s for s in sounds if s.clip.split == split], ontology, config.emphasis)
        for split in ("train", "validation")
    }
    train, validation = (Examiner(config, pantry, clap, tokens) for pantry in parts.values())
    net = first_network(config)
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = Average(net, config.ema)
    optimizer = torch.optim.AdamW(net.parameters(), lr=config.lr, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.lr, total_steps=config.steps, pct_start=0.08
    )
    first = restore(run, net, average, optimizer, schedule)
    # Nothing here reaches the presence score: it is trained on the finished network.
    net.presence.requires_grad_(False)
    for step in range(first, config.steps):
        net.train()
        losses = objective(net, train.batch(config.batch, f"{config.seed}/{step}"))
        optimizer.zero_grad()
        losses["loss"].backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        average.update(net)
        figures = {name: value.item() for name, value in losses.items()}
        if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
            figures |= validate(average, config, validation)
            keep(run, step + 1, net, average, optimizer, schedule)
            run.log(step + 1, **figures)
        yield figures
    yield from train_presence(config, run, averaged(config, average), train, validation)


def first_network(config: SeparatorConfig) -> BandUNet:
    """A new network, or the finished one of the run that the config starts from.

    Raises:
        UsageError: if that run is not finished, or of another size.
    """
    net = BandUNet(widths=config.widths, hidden=config.hidden)
    if config.start is not None:
        try:
            state = torch.load(config.start / "checkpoint.pt", weights_only=True)["average"]
            head = torch.load(config.start / "presence.pt", weights_only=True)["head"]
            net.load_state_dict(state)
            net.presence.load_state_dict(head)
        except (OSError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            message = f"cannot start from {config.start}: {reason}"
            raise UsageError(message, "give a finished run of the same sizes") from error
    return net


def averaged(config: SeparatorConfig, average: Average) -> BandUNet:
    """A network with the averaged weights, for evaluation."""
    net = BandUNet(widths=config.widths, hidden=config.hidden).eval()
    net.load_state_dict(average.state)
    return net


def objective(net: BandUNet, batch: Batch) -> dict[str, Tensor]:
    """The loss, averaged over questions, and its parts, all in dB."""
    mixture = stft(batch.mixture, RATE)
    answers = stft(batch.answers, RATE)
    logits, _ = net.masks(common_magnitude(mixture[:, None]), batch.queries)
    masks, mixtures = logits.sigmoid().flatten(0, 1), repeat_each(mixture)
    there = batch.present.flatten().bool()
    snr = snr_loss(masks[there], mixtures[there], answers.flatten(0, 1)[there])
    silence = silence_loss(masks[~there], mixtures[~there])
    return {
        "loss": (snr.sum() + ABSENT_WEIGHT * silence.sum()) / len(masks),
        "snr": -snr.detach().mean(),
        "silence": silence.detach().mean(),
    }


@torch.inference_mode()
def validate(average: Average, config: SeparatorConfig, examiner: Examiner) -> dict[str, float]:
    """Figures of the averaged network on fixed mixtures of validation sounds."""
    net = averaged(config, average)
    rows = [
        objective(net, examiner.batch(8, f"validation/{index}"))
        for index in range(VALIDATION_MIXTURES // 8)
    ]
    return {f"val_{name}": float(np.mean([float(r[name]) for r in rows])) for name in rows[0]}


def teacher_pair(folder: Path) -> tuple[Clap, WordPieces]:
    """The CLAP of a finished run, frozen, and its tokenizer."""
    config = ClapConfig.model_validate_json((folder / "config.json").read_text(encoding="utf-8"))
    tokens = WordPieces(config.tokenizer)
    clap = Clap(tokens.size)
    clap.load_state_dict(torch.load(folder / "checkpoint.pt", weights_only=True)["clap"])
    return clap.eval().requires_grad_(False), tokens


Optimizer = torch.optim.Optimizer
Schedule = torch.optim.lr_scheduler.LRScheduler


def restore(
    run: RunFolder, net: nn.Module, average: Average, optimizer: Optimizer, schedule: Schedule
) -> int:
    """Go back to the run's checkpoint; the number of steps done."""
    state = run.load()
    if state is None:
        return 0
    net.load_state_dict(state["net"])
    average.state, average.updates = state["average"], state["step"]
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    return int(state["step"])


def keep(
    run: RunFolder,
    step: int,
    net: nn.Module,
    average: Average,
    optimizer: Optimizer,
    schedule: Schedule,
) -> None:
    """Write a checkpoint."""
    run.save(
        step,
        {
            "net": net.state_dict(),
            "average": average.state,
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
        },
    )
