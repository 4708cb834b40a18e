"""The CLAP that a separator listens to and, without single sources, learns from.

It is frozen: its parameters have no gradient, yet gradients pass through its audio tower to the
waveform it hears.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
import torchaudio
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from sepcli.errors import UsageError
from sepcli.home import cache_folder
from sepcli.nets.bands import common_magnitude
from sepcli.nets.clap import AudioTower, TextTower
from sepcli.query.clip import Clip
from sepcli.query.laion_clap import LaionClap
from sepcli.query.laion_mel import RATE as LAION_RATE
from sepcli.query.tokens import WordPieces
from sepcli.registry.load import load
from sepcli.registry.store import Registry
from sepcli.training.config import ClapConfig
from sepcli.training.load_config import CLIP, MODEL, read_run_config
from sepcli.training.loop.checkpoint import read_state
from sepcli.training.loop.folder import CHECKPOINT

SCALE = 20.0  # inverse temperature where none was kept with the towers


class Teacher(Protocol):
    """A frozen joint space of texts and sounds.

    Attributes:
        dimension: length of an embedding.
        scale: inverse temperature at which it was trained.
        hears: whether a query may be a sound.
    """

    dimension: int
    scale: float
    hears: bool

    def texts(self, phrases: Sequence[str]) -> Tensor:
        """(phrases, dimension), of length 1."""
        ...

    def queries(self, phrases: Sequence[str]) -> Tensor:
        """What a network is conditioned on, (phrases, d); `texts` for most networks."""
        ...

    def audio(self, wave: Tensor, rate: int) -> Tensor:
        """(batch, samples) at `rate` Hz -> (batch, dimension), of length 1, differentiable."""
        ...

    def to(self, device: torch.device) -> Teacher:
        """Move to a device."""
        ...


class SmallTeacher:
    """The small CLAP, of a run or of a registered model.

    Args:
        state: weights `text.*`, `audio.*` and perhaps `log_scale`.
        tokens: the tokenizer.

    Attributes:
        ear: the tower that hears.
    """

    hears = True

    def __init__(self, state: dict[str, Tensor], tokens: WordPieces) -> None:
        self._tokens = tokens
        self._text, self.ear = TextTower(tokens.size), AudioTower()
        for tower, prefix in ((self._text, "text."), (self.ear, "audio.")):
            part = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
            frozen(tower).load_state_dict(part)
        self.dimension = self._text.output.out_features
        self.scale = float(state["log_scale"].exp()) if "log_scale" in state else SCALE

    def texts(self, phrases: Sequence[str]) -> Tensor:
        """Case and outer spaces do not matter."""
        ids = self._tokens([phrase.strip().lower() for phrase in phrases])
        with torch.no_grad():
            embeddings: Tensor = self._text(ids.to(self._text.output.weight.device))
        return embeddings

    queries = texts

    @property
    def towers(self) -> tuple[TextTower, AudioTower, WordPieces]:
        """What reads, what hears, and the tokenizer."""
        return self._text, self.ear, self._tokens

    def audio(self, wave: Tensor, rate: int) -> Tensor:
        """At any rate that is a multiple of 100 Hz."""
        embeddings: Tensor = self.ear(wave[:, None], rate)
        return embeddings

    def spectra(self, spec: Tensor) -> Tensor:
        """What it makes of spectrograms, which it would hear a waveform's as, without the waveform.

        A filtered spectrogram is not quite that of any waveform: going there and back changes it
        a little, and takes as long as hearing it.

        Args:
            spec: (batch, bins, frames), complex, of `sepcli.audio.stft`.

        Returns:
            (batch, dimension), of length 1.
        """
        return self.ear.embed(common_magnitude(spec[:, None]))

    def to(self, device: torch.device) -> SmallTeacher:
        """Both towers."""
        self._text.to(device)
        self.ear.to(device)
        return self


class LaionTeacher:
    """LAION-CLAP, as a registered model's encoder loads it."""

    def __init__(self, encoder: LaionClap) -> None:
        self._encoder = encoder
        self.dimension = encoder.pooled
        self.hears = encoder.dimension == encoder.pooled
        self.scale = SCALE if encoder.scale is None else encoder.scale

    def texts(self, phrases: Sequence[str]) -> Tensor:
        """The pooled embeddings: the end of what a token encoder packs."""
        return self.queries(phrases)[:, -self.dimension :]

    def queries(self, phrases: Sequence[str]) -> Tensor:
        """As the separator gets them."""
        return self._encoder.embed_texts(phrases)

    def audio(self, wave: Tensor, rate: int) -> Tensor:
        """Resampled to 48 kHz, as LAION-CLAP hears."""
        resampled = torchaudio.functional.resample(wave, rate, LAION_RATE)
        embeddings: Tensor = self._encoder.audio_tower(resampled)
        return embeddings

    def to(self, device: torch.device) -> LaionTeacher:
        """The audio tower; texts are read on the CPU and kept in a cache."""
        self._encoder.audio_tower.to(device)
        return self


class ClipTeacher:
    """CLIP: a network is told in words, as it is in pictures. It hears nothing."""

    hears = False
    scale = SCALE

    def __init__(self, encoder: Clip) -> None:
        self._encoder = encoder
        self.dimension = encoder.dimension

    def texts(self, phrases: Sequence[str]) -> Tensor:
        """Of length 1."""
        return F.normalize(self.queries(phrases), dim=-1)

    def queries(self, phrases: Sequence[str]) -> Tensor:
        """Of the length that CLIP gives them."""
        return self._encoder.embed_texts(phrases)

    def audio(self, wave: Tensor, rate: int) -> Tensor:  # noqa: ARG002
        """Refused.

        Raises:
            UsageError: always.
        """
        message = "CLIP hears nothing: this objective needs a CLAP"
        raise UsageError(message, "set `objective: {name: clipsep}`, or `clap` to a CLAP")

    def to(self, device: torch.device) -> ClipTeacher:  # noqa: ARG002
        """Texts are read on the CPU and kept in a cache."""
        return self


def load_teacher(reference: str) -> Teacher:
    """The CLAP of a finished run (its folder), of a registered model (`model:NAME`), or a CLIP
    (`clip:NAME`).

    Raises:
        UsageError: if the run is not there or not finished, or the model takes no queries.
        ModelError: if the model is unknown or damaged.
    """
    if reference.startswith(MODEL):
        return teacher_of_model(reference.removeprefix(MODEL))
    if reference.startswith(CLIP):
        return ClipTeacher(Clip(reference.removeprefix(CLIP), cache_folder() / "embeddings"))
    return teacher_of_run(Path(reference))


def teacher_of_run(folder: Path) -> SmallTeacher:
    """From the run's averaged weights."""
    state = read_state(folder / CHECKPOINT)
    if state is None:
        raise UsageError(f"no finished CLAP in {folder}", "train it first, see `clap:`")
    config = read_run_config(folder)
    if not isinstance(config, ClapConfig):
        raise UsageError(f"{folder} is a run of kind {config.kind}", "give that of a CLAP")
    return SmallTeacher(state["average"], WordPieces(config.tokenizer))


def teacher_of_model(name: str) -> Teacher:
    """From the files of a registered model, which are checked first."""
    loaded = load(Registry().find(name))
    model = loaded.model
    if model.entry.query is None:
        raise UsageError(f"model {name} takes no queries: it has no CLAP", "give another model")
    if model.entry.query.encoder == "small-clap":
        state = {key: value.float() for key, value in load_file(model.path("clap")).items()}
        return SmallTeacher(state, WordPieces(model.path("tokenizer")))
    encoder = loaded.encoder
    if isinstance(encoder, Clip):
        return ClipTeacher(encoder)
    if not isinstance(encoder, LaionClap):
        raise UsageError(f"model {name} cannot teach", "give one with a small CLAP or LAION's")
    return LaionTeacher(encoder)


def frozen(tower: nn.Module) -> nn.Module:
    """In evaluation mode, without gradients of its own."""
    return tower.eval().requires_grad_(False)
