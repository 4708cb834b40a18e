"""The presence score, trained when separation is finished: does the query sound at all?

The network stays as it is; only the small judge of its answers learns, from mixtures half of
whose questions ask for what is not there. The threshold is where present and absent queries of
the validation sounds are told apart best (highest mean of both rates, Youden's index).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from sepcli.audio.stft import stft
from sepcli.nets.band_unet import BandUNet
from sepcli.nets.bands import common_magnitude
from sepcli.training.config import SeparatorConfig
from sepcli.training.corpus import RATE
from sepcli.training.examiner import Batch, Examiner
from sepcli.training.run import RunFolder

VALIDATION_BATCHES = 24
LR = 2e-3


def train_presence(
    config: SeparatorConfig, run: RunFolder, net: BandUNet, train: Examiner, validation: Examiner
) -> Iterator[dict[str, float]]:
    """Train the judge of a finished network; writes presence.pt into the run's folder."""
    if run.load("presence.pt") is not None:
        return
    train, validation = train.doubting(), validation.doubting()
    net.requires_grad_(False)
    net.presence.requires_grad_(True)
    optimizer = torch.optim.AdamW(net.presence.parameters(), lr=LR, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, total_steps=config.presence_steps)
    for step in range(config.presence_steps):
        batch = train.batch(config.batch, f"presence/{config.seed}/{step}")
        loss = F.binary_cross_entropy_with_logits(judge(net, batch), batch.present)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        yield {"presence": loss.item()}
    present, absent = validation_scores(net, validation, config.batch)
    threshold = best_threshold(present, absent)
    auc = float((present[:, None] > absent).mean())
    head = net.presence.state_dict()
    run.save(config.presence_steps, {"head": head, "threshold": threshold}, "presence.pt")
    run.log(config.presence_steps, presence_auc=auc, presence_threshold=threshold)
    yield {"presence_auc": auc, "presence_threshold": threshold}


def judge(net: BandUNet, batch: Batch) -> torch.Tensor:
    """Presence logits of a batch's questions, (batch, QUESTIONS)."""
    magnitude = common_magnitude(stft(batch.mixture, RATE)[:, None])
    return net.masks(magnitude, batch.queries)[1]


@torch.inference_mode()
def validation_scores(
    net: BandUNet, examiner: Examiner, size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities given to queries that are there, and to those that are not."""
    present, absent = [], []
    for index in range(VALIDATION_BATCHES):
        batch = examiner.batch(size, f"presence/validation/{index}")
        scores, there = judge(net, batch).sigmoid(), batch.present.bool()
        present += scores[there].tolist()
        absent += scores[~there].tolist()
    return np.array(present), np.array(absent)


def best_threshold(present: NDArray[np.float64], absent: NDArray[np.float64]) -> float:
    """Where the share of present scores above and of absent ones below is highest, together."""
    at = np.unique(np.concatenate([present, absent]))
    right = [(present >= t).mean() + (absent < t).mean() for t in at]
    return round(float(at[int(np.argmax(right))]), 3)
