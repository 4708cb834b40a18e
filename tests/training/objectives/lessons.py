"""Batches whose every sound is known, networks whose every mask is, and how a lesson goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import soundfile
import torch
from torch import Tensor, nn

from sepcli.audio import stft as transform
from sepcli.training.config import BandUNetConfig
from sepcli.training.mixing.batch import Batch, Role
from sepcli.training.networks import Masker, build_masker
from sepcli.training.objectives.base import Objective
from sepcli.training.teacher import Teacher

RATE = 32_000
SAMPLES = 9_600  # 0.3 s: 31 frames, and networks halve 32
CLIPS = Path(__file__).parents[2] / "data" / "esc10"

Part = Sequence[tuple[str, Tensor]]  # phrases and waveforms
Embed = Callable[[list[str]], Tensor]


def tone(pitch: float, level: float = 0.3) -> Tensor:
    """(SAMPLES,)"""
    return level * torch.sin(2 * torch.pi * pitch * torch.arange(SAMPLES) / RATE)


@cache
def clip(name: str, start: float = 0.0) -> Tensor:
    """(SAMPLES,) of a real recording."""
    wave, rate = soundfile.read(CLIPS / f"{name}.ogg", dtype="float32")
    resampled = torch.from_numpy(wave)[None, None]
    if rate != RATE:
        length = len(wave) * RATE // rate
        resampled = nn.functional.interpolate(resampled, length, mode="linear")
    first = int(start * RATE)
    return resampled[0, 0, first : first + SAMPLES]


def batch_of(
    items: Sequence[Sequence[Part]],
    embed: Embed,
    captions: bool = False,
    phrases: bool = True,
    absent: str = "",
) -> Batch:
    """Every item's parts, and the questions that are asked about them."""
    most = max(len(part) for item in items for part in item)
    rows = [questions(item, most, captions, phrases, absent) for item in items]
    said = sorted({text for row in rows for text, *_ in row})
    columns = [torch.stack([torch.as_tensor(q[i]) for row in rows for q in row]) for i in (1, 2, 3)]
    texts = [text for row in rows for text, *_ in row]
    parts = torch.stack([torch.stack([sum(w for _, w in part) for part in item]) for item in items])  # type: ignore[misc]
    shape = (len(items), len(rows[0]))
    role, part, answers = (c.unflatten(0, shape) for c in columns)
    phrase, padding = role == Role.PHRASE, role == Role.PADDING
    targets = embed(texts).unflatten(0, shape) * ~padding[..., None]
    meaning = torch.tensor([said.index(text) for text in texts]).unflatten(0, shape)
    return Batch(
        mixture=parts.sum(dim=1),
        parts=parts,
        queries=targets,
        role=role,
        part=part,
        answers=answers,
        known=~padding,
        weight=phrase.float(),
        meaning=meaning.where(phrase, -1),
        targets=targets,
    )


Question = tuple[str, Role, int, Tensor]


def questions(
    item: Sequence[Part], most: int, captions: bool, phrases: bool, absent: str
) -> list[Question]:
    """About one mixture: text, role, part, answer."""
    silent, asked = torch.zeros_like(item[0][0][1]), []
    for n, part in enumerate(item):
        if captions:
            caption = " and ".join(phrase for phrase, _ in part)
            asked.append((caption, Role.CAPTION, n, torch.stack([w for _, w in part]).sum(dim=0)))
        if phrases:
            asked += [(phrase, Role.PHRASE, n, wave) for phrase, wave in part]
            asked += [("", Role.PADDING, -1, silent)] * (most - len(part))
    return asked + [(absent, Role.ABSENT, -1, silent)] * bool(absent)


def signs(texts: list[str]) -> Tensor:
    """Embeddings of length 1 that tell texts apart, without a CLAP."""
    seeds = [sum(ord(c) * (i + 1) for i, c in enumerate(text)) for text in texts]
    rows = [torch.randn(16, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return nn.functional.normalize(torch.stack(rows), dim=-1)


class Spectra(Masker):
    """The transform of a BandUNet."""

    rate = RATE

    def spectrogram(self, wave: Tensor) -> Tensor:
        return transform.stft(wave, RATE)

    def waveform(self, spec: Tensor, samples: int) -> Tensor:
        return transform.istft(spec, RATE, samples)


class Free(Spectra):
    """Gives masks that do not depend on anything, and can be learnt one by one."""

    def __init__(self, masks: Tensor) -> None:
        super().__init__()
        self.masks = nn.Parameter(masks)

    def forward(self, mixture: Tensor, queries: Tensor) -> Tensor:
        return self.masks


def ideal_masks(batch: Batch) -> Tensor:
    """Wiener filters of the answers, |S|^2 / (|S|^2 + |X - S|^2)."""
    masker = Spectra()
    answers, mixture = masker.spectrogram(batch.answers), masker.spectrogram(batch.mixture)[:, None]
    power, rest = answers.abs().square(), (mixture - answers).abs().square()
    return power / (power + rest).clamp(min=1e-20)


def learnt(objective: Objective, batches: list[Batch], teacher: Teacher) -> tuple[float, float]:
    """Mean loss of the first and the last 20 of 100 steps of a tiny network."""
    torch.manual_seed(0)
    masker = build_masker(BandUNetConfig(widths=(4, 6, 8, 8), hidden=8), teacher.dimension)
    objective.begin(masker)
    parameters = [*masker.parameters(), *objective.parameters()]
    optimizer = torch.optim.AdamW([p for p in parameters if p.requires_grad], 5e-3)
    losses = []
    for step in range(100):
        loss = objective(masker, batches[step % len(batches)])["loss"]
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(masker.parameters(), 5.0)
        optimizer.step()
        objective.after_step(masker)
        losses.append(float(loss.detach()))
    return sum(losses[:20]) / 20, sum(losses[-20:]) / 20
