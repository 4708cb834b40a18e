"""Training of the small CLAP: distil the text tower, then align both towers on sounds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sepcli.audio.stft import stft
from sepcli.nets.bands import common_magnitude
from sepcli.nets.clap import AudioTower, TextTower
from sepcli.query.tokens import WordPieces
from sepcli.training import distil
from sepcli.training.config import ClapConfig
from sepcli.training.corpus import RATE, Sound
from sepcli.training.losses import contrast
from sepcli.training.mixing import Pantry, lowpass
from sepcli.training.ontology import Ontology
from sepcli.training.run import RunFolder

BACKGROUND = 0.6  # of the sounds have another one behind them
BACKGROUND_DB = (3.0, 25.0)  # how far behind
TEXT_LR = 0.1  # of the audio tower's learning rate
KEEP_MEANING = 4.0  # weight of still agreeing with the teacher


class Clap(nn.Module):
    """Both towers and the temperature."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.text = TextTower(vocabulary)
        self.audio = AudioTower()
        self.log_scale = nn.Parameter(torch.tensor(20.0).log())


def train_clap(config: ClapConfig, out: Path, sounds: list[Sound]) -> Iterator[dict[str, float]]:
    """Train from scratch, or go on from the folder's checkpoint; yields figures of every step."""
    torch.manual_seed(config.seed)
    run = RunFolder(out, config)
    tokens = WordPieces(config.tokenizer)
    clap = Clap(tokens.size)
    ids, targets = lesson(config, out, tokens)
    state = run.load()
    if state is None:
        distil.head_start(clap.text, ids, targets)
        batch = config.distil_batch
        for step, loss in enumerate(
            distil.distil(clap.text, ids, targets, config.distil_steps, batch, config.seed)
        ):
            yield {"distil": loss}
            if step % 100 == 99:
                run.log(step + 1, distil=loss)
        run.save(0, {"clap": clap.state_dict()})
    yield from align(config, run, clap, sounds, tokens, (ids, targets))


def lesson(config: ClapConfig, out: Path, tokens: WordPieces) -> tuple[Tensor, Tensor]:
    """Token ids and the teacher's embeddings of the study texts, kept in the run folder."""
    kept = out / "lesson.pt"
    if not kept.exists():
        phrases = Ontology.load().texts() + distil.study_phrases(config.label_list)
        rng = random.Random(config.seed)
        texts = distil.study_texts(tokens.vocabulary(), phrases, config.word_pairs, rng)
        targets = distil.teach(texts, distil.Teacher(tokens), embedding=256)
        torch.save((tokens(texts), targets), kept)
    ids, targets = torch.load(kept, weights_only=True)
    return ids, targets


def align(
    config: ClapConfig,
    run: RunFolder,
    clap: Clap,
    sounds: list[Sound],
    tokens: WordPieces,
    study: tuple[Tensor, Tensor],
) -> Iterator[dict[str, float]]:
    """Contrast sounds with the phrases of all labels, while the words keep their meaning."""
    train = Pantry([s for s in sounds if s.clip.split == "train"], Ontology.load(), config.emphasis)
    validation = [s for s in sounds if s.clip.split == "validation"]
    rates = [config.lr, config.lr * TEXT_LR]
    parts = ([*clap.audio.parameters(), clap.log_scale], list(clap.text.parameters()))
    groups = [{"params": part, "lr": rate} for part, rate in zip(parts, rates, strict=True)]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=config.steps)
    state = run.load()
    assert state is not None
    clap.load_state_dict(state["clap"])
    if state["step"]:
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
    same = same_meaning(train)
    for step in range(state["step"], config.steps):
        rng = random.Random(f"{config.seed}/{step}")
        clap.train()
        magnitude, labels = sound_batch(train, config, rng)
        texts = clap.text(tokens([train.ontology.say(x, rng) for x in train.asked]))
        loss = contrast(clap.audio.embed(magnitude), texts, same[labels], clap.log_scale.exp())
        rows = torch.tensor(rng.sample(range(len(study[0])), 256))
        kept = (1 - (clap.text(study[0][rows]) * study[1][rows]).sum(dim=1)).mean()
        optimizer.zero_grad()
        (loss + KEEP_MEANING * kept).backward()
        nn.utils.clip_grad_norm_(clap.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        clap.log_scale.data.clamp_(max=4.6)  # scale 100, as in CLIP (Radford et al., 2021)
        figures = {"loss": loss.item(), "kept": kept.item()}
        if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
            figures |= zero_shot(clap, validation, tokens, train.asked)
            run.save(
                step + 1,
                {
                    "clap": clap.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "schedule": schedule.state_dict(),
                },
            )
            run.log(step + 1, **figures)
        yield figures


def sound_batch(pantry: Pantry, config: ClapConfig, rng: random.Random) -> tuple[Tensor, Tensor]:
    """Magnitudes (batch, BINS, frames) of sounds, often with another behind, and label indices."""
    samples, waves, labels = int(config.seconds * RATE), [], []
    for _ in range(config.batch):
        label = pantry.label(rng)
        wave = pantry.window(label, samples, rng)
        if rng.random() < BACKGROUND:
            behind = pantry.window(pantry.companion(rng, [label]), samples, rng)
            wave = wave + behind * 10 ** (-rng.uniform(*BACKGROUND_DB) / 20)
        if rng.random() < 0.2:
            wave = lowpass(wave, rng.uniform(3000, 10_000))
        waves.append(wave)
        labels.append(pantry.asked.index(label))
    batch = torch.from_numpy(np.stack(waves).astype(np.float32))
    return common_magnitude(stft(batch, RATE)[:, None]), torch.tensor(labels)


def same_meaning(pantry: Pantry) -> Tensor:
    """(labels, labels): 1 where two labels share a phrase, as all kinds of speech do."""
    phrases = [set(pantry.ontology.phrases[label]) for label in pantry.asked]
    return torch.tensor([[float(bool(a & b)) for b in phrases] for a in phrases])


@torch.inference_mode()
def zero_shot(
    clap: Clap, sounds: list[Sound], tokens: WordPieces, labels: list[str]
) -> dict[str, float]:
    """Share of sounds whose own label's plain name is nearest, among all labels.

    `esc` counts only ESC-10 recordings, whose labels are checked by hand.
    """
    clap.eval()
    ontology = Ontology.load()
    names = clap.text(tokens([ontology.phrases[label][0] for label in labels]))
    hits: dict[str, list[bool]] = {"esc": [], "all": []}
    for sound in sounds:
        if sound.clip.label not in labels or len(sound.wave) < RATE // 2:
            continue
        wave = torch.from_numpy(sound.wave.astype(np.float32))[None, None]
        nearest = int((clap.audio(wave, RATE) @ names.T).argmax())
        hit = labels[nearest] == sound.clip.label
        hits["all"].append(hit)
        if sound.clip.origin.isdigit():
            hits["esc"].append(hit)
    return {f"accuracy_{name}": float(np.mean(row)) for name, row in hits.items() if row}
