"""A model at work on mixtures in memory, as `sepcli separate` works on files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sepcli.audio.reader import probe
from sepcli.errors import UsageError
from sepcli.evaluation.scene import Array
from sepcli.registry.load import LoadedModel
from sepcli.separation.engine import Hearing, question_for, separated
from sepcli.separation.examples import excerpt
from sepcli.separation.options import SeparateOptions
from sepcli.separation.runner import Runner

Estimates = NDArray[np.float32]  # (stems, channels, samples)


@dataclass(frozen=True)
class Answer:
    """What a model gave for a mixture.

    Attributes:
        stems: (stems, channels, samples).
        presence: (stems,), how sure it is of each; None if it does not say.
    """

    stems: Estimates
    presence: NDArray[np.float32] | None


class Separator:
    """A loaded model with its settings.

    Args:
        loaded: the model.
        options: device, precision, batch size and window.
    """

    def __init__(self, loaded: LoadedModel, options: SeparateOptions) -> None:
        self._loaded, self._options = loaded, options
        self._runner = Runner(loaded.network, options, notify=lambda _: None)

    @property
    def fixed_stems(self) -> tuple[str, ...] | None:
        """Names of the stems that the model always gives; None if it answers queries."""
        stems = self._loaded.model.entry.stems
        return None if stems is None else tuple(stems)

    def ask_texts(self, mixture: Array, rate: int, texts: Sequence[str]) -> Answer:
        """Stems of a mixture (channels, samples) for descriptions."""
        return self._ask(mixture, rate, self._loaded.encoder.embed_texts(texts))

    def ask_examples(self, mixture: Array, rate: int, examples: Sequence[Path]) -> Answer:
        """Stems of a mixture (channels, samples) for recordings of such sounds."""
        encoder = self._loaded.encoder
        rows = [encoder.embed_audio(*excerpt(probe(path))) for path in examples]
        return self._ask(mixture, rate, torch.stack(rows))

    def ask_stems(self, mixture: Array, rate: int, stems: Sequence[str]) -> Answer:
        """Stems of a model that names its stems.

        Raises:
            UsageError: if it has no such stem.
        """
        fixed = self.fixed_stems or ()
        if missing := [stem for stem in stems if stem not in fixed]:
            message = f"the model gives {', '.join(fixed)}, but not {', '.join(missing)}"
            raise UsageError(message, "choose another --model, or --protocol")
        answer = self._ask(mixture, rate, None)
        return Answer(answer.stems[[fixed.index(stem) for stem in stems]], None)

    def _ask(self, mixture: Array, rate: int, embeddings: torch.Tensor | None) -> Answer:
        channels, samples = mixture.shape
        wave = np.ascontiguousarray(mixture.T, np.float32)
        question, hearing = question_for(self._loaded, embeddings), Hearing()
        blocks = separated(
            [wave], rate, channels, question, self._loaded, self._runner, self._options, hearing
        )
        joined = np.concatenate(list(blocks), axis=1)[:, :samples]
        missing = samples - joined.shape[1]  # a resampled stem may end a few samples early
        stems = np.pad(joined, ((0, 0), (0, missing), (0, 0))).transpose(0, 2, 1)
        return Answer(np.ascontiguousarray(stems), hearing.presence)
