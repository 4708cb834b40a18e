"""Training of the small CLAP: distil the text tower, then align both towers on sounds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sepcli.audio.stft import stft
from sepcli.nets.bands import common_magnitude
from sepcli.nets.clap import AudioTower, TextTower
from sepcli.query.tokens import WordPieces
from sepcli.training import distil
from sepcli.training.clap_figures import clap_figures
from sepcli.training.config import ClapConfig
from sepcli.training.corpora.sounds import RATE
from sepcli.training.loop.task import Group
from sepcli.training.losses.infonce import contrast
from sepcli.training.mixing.augment import lowpass
from sepcli.training.mixing.pantry import Pantry

LESSON, WORDS = "lesson.pt", "words.pt"  # in the run's folder
BACKGROUND = 0.6  # of the sounds have another one behind them
BACKGROUND_DB = (3.0, 25.0)  # how far behind
LOWPASSED = 0.2  # of the sounds lose their high frequencies
TEXT_LR = 0.1  # of the audio tower's learning rate
KEEP_MEANING = 4.0  # weight of still agreeing with the teacher
STUDIED = 8  # texts whose meaning is checked, for every sound


class Clap(nn.Module):
    """Both towers and the temperature."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.text = TextTower(vocabulary)
        self.audio = AudioTower()
        self.log_scale = nn.Parameter(torch.tensor(20.0).log())

    def forward(self, batch: ClapBatch) -> dict[str, Tensor]:
        """Contrast sounds with the phrases of all labels, while words keep their meaning."""
        magnitude = common_magnitude(stft(batch.wave, RATE)[:, None])
        names = self.text(batch.names)
        loss = contrast(self.audio.embed(magnitude), names, batch.same, self.log_scale.exp())
        kept = (1 - (self.text(batch.studied) * batch.lesson).sum(dim=1)).mean()
        return {
            "loss": loss + KEEP_MEANING * kept,
            "contrast": loss.detach(),
            "kept": kept.detach(),
        }


@dataclass(frozen=True)
class ClapBatch:
    """Sounds, what all labels are called, and a part of the lesson.

    Attributes:
        wave: (batch, samples) at RATE.
        same: (batch, labels): whether a label describes the sound.
        names: (labels, tokens), a phrase for each.
        studied: (texts, tokens).
        lesson: (texts, embedding), what the teacher makes of them.
    """

    wave: Tensor
    same: Tensor
    names: Tensor
    studied: Tensor
    lesson: Tensor

    def to(self, device: torch.device) -> ClapBatch:
        """The same on a device."""
        return ClapBatch(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})


class ClapTask:
    """See `Task`.

    Args:
        config: of the run.
        clap: whose text tower has been distilled.
        lesson: token ids (texts, tokens) and the teacher's embeddings (texts, embedding).
        train: sounds to learn from.
        validation: sounds to be named.
    """

    select = "accuracy_all"

    def __init__(
        self,
        config: ClapConfig,
        clap: Clap,
        lesson: tuple[Tensor, Tensor],
        train: Pantry,
        validation: Pantry,
    ) -> None:
        self.config = config
        self.module: nn.Module = clap
        self._clap, self._lesson, self._train, self._validation = clap, lesson, train, validation
        self._tokens = WordPieces(config.tokenizer)
        self._same = same_meaning(train)

    def groups(self) -> list[Group]:
        """The words move slowly: they know more than the sounds can tell them."""
        hearing = [*self._clap.audio.parameters(), self._clap.log_scale]
        return [Group(hearing), Group(list(self._clap.text.parameters()), TEXT_LR)]

    def batch(self, draw: int, first: int, size: int) -> ClapBatch:
        """Sounds, often with another behind them."""
        key = f"{self.config.seed}/{draw}"
        rngs = [random.Random(f"{key}/{item}") for item in range(first, first + size)]
        waves, labels = zip(*(self._sound(rng) for rng in rngs), strict=True)
        texts = range(len(self._lesson[0]))
        rows = torch.tensor([row for rng in rngs for row in rng.sample(texts, STUDIED)])
        rng = random.Random(f"{key}/names")
        names = [self._train.ontology.say(label, rng) for label in self._train.asked]
        return ClapBatch(
            wave=torch.from_numpy(np.stack(waves)),
            same=self._same[list(labels)],
            names=self._tokens(names),
            studied=self._lesson[0][rows],
            lesson=self._lesson[1][rows],
        )

    def _sound(self, rng: random.Random) -> tuple[np.ndarray, int]:
        """A waveform and its label's number."""
        samples = int(self.config.seconds * RATE)
        label = self._train.label(rng)
        wave = self._train.window(label, samples, rng)
        if rng.random() < BACKGROUND:
            behind = self._train.window(self._train.companion(rng, [label]), samples, rng)
            wave = wave + behind * 10 ** (-rng.uniform(*BACKGROUND_DB) / 20)
        if rng.random() < LOWPASSED:
            wave = lowpass(wave, rng.uniform(3000, 10_000))
        return wave.astype(np.float32), self._train.asked.index(label)

    def validate(self, module: nn.Module) -> dict[str, float]:
        """How often sounds are named rightly, and found by their names."""
        assert isinstance(module, Clap)
        return clap_figures(module.text, module.audio, self._tokens, self._validation)

    def after_step(self) -> None:
        """Keep the temperature where CLIP's is (Radford et al., 2021): at most a scale of 100."""
        self._clap.log_scale.data.clamp_(max=4.6)


def same_meaning(pantry: Pantry) -> Tensor:
    """(labels, labels): 1 where two labels share a phrase, as all kinds of speech do."""
    phrases = [set(pantry.ontology.phrases[label]) for label in pantry.asked]
    return torch.tensor([[float(bool(a & b)) for b in phrases] for a in phrases])


def read_lesson(
    config: ClapConfig, out: Path, tokens: WordPieces, phrases: list[str]
) -> tuple[Tensor, Tensor]:
    """Token ids and the teacher's embeddings of the study texts, kept in the run folder.

    Args:
        config: of the run.
        out: its folder.
        tokens: the tokenizer.
        phrases: the ontology's, which must be known well.
    """
    kept = out / LESSON
    if not kept.exists():
        known = phrases + distil.study_phrases(config.label_list)
        rng = random.Random(config.seed)
        texts = distil.study_texts(tokens.vocabulary(), known, config.word_pairs, rng)
        targets = distil.teach(texts, distil.Teacher(tokens), embedding=256)
        torch.save((tokens(texts), targets), kept)
    ids, targets = torch.load(kept, weights_only=True)
    return ids, targets


def learn_words(
    config: ClapConfig, clap: Clap, lesson: tuple[Tensor, Tensor], out: Path
) -> Iterator[float]:
    """Distil the text tower, or load what was distilled before; yields the loss of every step."""
    kept = out / WORDS
    if kept.exists():
        clap.text.load_state_dict(torch.load(kept, weights_only=True))
        return
    distil.head_start(clap.text, *lesson)
    yield from distil.distil(
        clap.text, *lesson, config.distil_steps, config.distil_batch, config.seed
    )
    torch.save(clap.text.state_dict(), kept)
