"""Supervised training of a BandUNet: every mixture's sources are known.

Each mixture is asked two questions. Most ask for one of its sources and are scored by the
signal-to-noise ratio of the answer; the others ask for a sound that is not there, and the
answer should be silence. A presence score learns to tell the two apart.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sepcli.audio.stft import stft
from sepcli.nets.band_unet import BandUNet
from sepcli.nets.bands import common_magnitude
from sepcli.query.tokens import WordPieces
from sepcli.training.clap import Clap
from sepcli.training.config import ClapConfig, SeparatorConfig
from sepcli.training.corpus import RATE, Sound
from sepcli.training.losses import silence_loss, snr_loss
from sepcli.training.mixing import Mixture, Pantry, Wave, mix
from sepcli.training.ontology import ANYTHING, Ontology
from sepcli.training.run import Average, RunFolder

QUESTIONS = 2  # per mixture
QUERY_NOISE = 0.2  # length of the random vector added to a query: neighbours mean the same
ABSENT_WEIGHT = 0.2  # of a dB let through for an absent query, against a dB of SNR
VALIDATION_MIXTURES = 96


@dataclass(frozen=True)
class Question:
    """What is asked of a mixture, and the answer."""

    label: str
    answer: Wave | None  # (samples,), None if the sound is not there
    example: Wave | None  # a recording to ask with, instead of words


@dataclass(frozen=True)
class Batch:
    """Everything a step needs, as tensors; `answers` is silent where nothing is there."""

    mixture: Tensor  # (batch, samples)
    queries: Tensor  # (batch, QUESTIONS, embedding)
    answers: Tensor  # (batch, QUESTIONS, samples)
    present: Tensor  # (batch, QUESTIONS), 0 or 1


class Examiner:
    """Turns mixtures into batches of questions, with a frozen CLAP for the queries."""

    def __init__(self, config: SeparatorConfig, pantry: Pantry, clap: Clap, tokens: WordPieces):
        self.config, self.pantry, self.clap, self.tokens = config, pantry, clap, tokens

    def batch(self, size: int, seed: str) -> Batch:
        """`size` mixtures with their questions, decided by `seed` alone."""
        rng = random.Random(seed)
        samples = int(self.config.seconds * RATE)
        mixtures = [mix(self.pantry, samples, rng) for _ in range(size)]
        asked = [q for m in mixtures for q in self.questions(m, rng)]
        silence = np.zeros(samples, np.float32)
        answers = np.stack([silence if q.answer is None else q.answer for q in asked])
        return Batch(
            mixture=torch.from_numpy(np.stack([m.wave for m in mixtures])),
            queries=self.embed(asked, rng).view(size, QUESTIONS, -1),
            answers=torch.from_numpy(answers).view(size, QUESTIONS, samples),
            present=torch.tensor([float(q.answer is not None) for q in asked]).view(size, -1),
        )

    def questions(self, mixture: Mixture, rng: random.Random) -> list[Question]:
        """QUESTIONS different ones; the first is always about a source."""
        groups = self.pantry.ontology.groups
        there = [i for i, x in enumerate(mixture.labels) if groups[x] != ANYTHING]
        # A background may hold what we ask for; and there must be something else to ask for.
        unsure = len(there) < len(mixture.labels) or not self.pantry.unlike(mixture.labels)
        rng.shuffle(there)
        out = []
        for index in range(QUESTIONS):
            nothing_left = index >= len(there)
            if (
                index
                and not unsure
                and (nothing_left or rng.random() < self.config.absent_queries * 2)
            ):
                out.append(self.ask(self.pantry.label(rng, mixture.labels), None, rng))
            else:
                source = there[index % len(there)]
                out.append(self.ask(mixture.labels[source], mixture.sources[source], rng))
        return out

    def ask(self, label: str, answer: Wave | None, rng: random.Random) -> Question:
        """A question in words, or now and then by example."""
        by_example = rng.random() < self.config.audio_queries
        samples = int(self.config.seconds * RATE)
        return Question(
            label, answer, self.pantry.window(label, samples, rng) if by_example else None
        )

    @torch.no_grad()
    def embed(self, asked: list[Question], rng: random.Random) -> Tensor:
        """(questions, embedding), of length 1, with QUERY_NOISE."""
        texts = [self.pantry.ontology.say(q.label, rng) for q in asked]
        embeddings = self.clap.text(self.tokens(texts))
        examples = [i for i, q in enumerate(asked) if q.example is not None]
        if examples:
            waves = np.stack([w for q in asked if (w := q.example) is not None])
            embeddings[examples] = self.clap.audio(torch.from_numpy(waves)[:, None], RATE)
        noise = torch.from_numpy(
            np.random.default_rng(rng.getrandbits(32)).standard_normal(embeddings.shape, np.float32)
        )
        return F.normalize(embeddings + QUERY_NOISE * F.normalize(noise, dim=-1), dim=-1)


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
    net = BandUNet(widths=config.widths, hidden=config.hidden)
    net = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = Average(net, config.ema)
    optimizer = torch.optim.AdamW(net.parameters(), lr=config.lr, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.lr, total_steps=config.steps, pct_start=0.08
    )
    first = restore(run, net, average, optimizer, schedule)
    for step in range(first, config.steps):
        net.train()
        losses = objective(net, train.batch(config.batch, f"{config.seed}/{step}"), config)
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


def objective(net: BandUNet, batch: Batch, config: SeparatorConfig) -> dict[str, Tensor]:
    """The loss and its parts, averaged over questions: dB for the answers, nats for presence."""
    mixture = stft(batch.mixture, RATE)
    answers = stft(batch.answers, RATE)
    logits, presence = net.masks(common_magnitude(mixture[:, None]), batch.queries)
    masks, mixtures = logits.sigmoid().flatten(0, 1), repeat_each(mixture)
    there = batch.present.flatten().bool()
    snr = snr_loss(masks[there], mixtures[there], answers.flatten(0, 1)[there])
    silence = silence_loss(masks[~there], mixtures[~there])
    known = F.binary_cross_entropy_with_logits(presence, batch.present)
    answered = (snr.sum() + ABSENT_WEIGHT * silence.sum()) / len(masks)
    return {
        "loss": answered + config.presence_weight * known,
        "snr": -snr.detach().mean(),
        "silence": silence.detach().mean(),
        "presence": known.detach(),
    }


def repeat_each(x: Tensor) -> Tensor:
    """(batch, ...) -> (batch * QUESTIONS, ...)."""
    return x.repeat_interleave(QUESTIONS, dim=0)


@torch.inference_mode()
def validate(average: Average, config: SeparatorConfig, examiner: Examiner) -> dict[str, float]:
    """Figures of the averaged network on fixed mixtures of validation sounds."""
    net = BandUNet(widths=config.widths, hidden=config.hidden).eval()
    net.load_state_dict(average.state)
    rows = [
        objective(net, examiner.batch(8, f"validation/{index}"), config)
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
