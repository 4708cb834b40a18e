"""Windows through a network on a device, stepping back when memory runs out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sepcli.audio.windows import Joiner, Layout, Window, cut
from sepcli.errors import MemoryExhausted, UsageError, is_memory
from sepcli.registry.load import Network
from sepcli.separation.arbitration import deny, share
from sepcli.separation.compiled import Compiled
from sepcli.separation.options import SeparateOptions
from sepcli.separation.stitching import stitched

Wave = NDArray[np.float32]  # (samples, channels)

BATCHES = {"cpu": 1, "cuda": 8, "mps": 4}  # windows at once
SHORTEST_SECONDS = 1.0  # windows are not halved below this


@dataclass(frozen=True)
class Question:
    """What is asked of every window.

    Attributes:
        embeddings: (queries, embedding), the wanted first; None for fixed stems.
        negatives: how many of the last ones are unwanted.
        compete: whether the wanted share what they all claim.
        channels: how many the network takes at once; None for any number.
        unordered: whether the stems of a window come in any order.
        fixed: how many stems the network gives that takes no embeddings.
        judges: whether the network says how sure it is that each is there.
    """

    embeddings: Tensor | None
    negatives: int = 0
    compete: bool = False
    channels: int | None = None
    unordered: bool = False
    fixed: int = 0
    judges: bool = False

    @property
    def stems(self) -> int:
        """How many are wanted."""
        return self.fixed if self.embeddings is None else len(self.embeddings) - self.negatives


@dataclass(frozen=True)
class Answer:
    """A window's stems (stems, samples, channels) and presences (stems,) or None.

    Attributes:
        took: its part of the seconds that the device was busy with its batch.
    """

    stems: NDArray[np.float32]
    presence: NDArray[np.float32] | None
    took: float = 0.0


class Answering(Protocol):
    """Whom a recording asks: a `Runner`, or what stands before one that many recordings share."""

    @property
    def batch(self) -> int:
        """Windows at once, at most."""
        ...

    def answer(self, waves: Sequence[Wave], question: Question, rate: int) -> list[Answer]:
        """Stems of windows of one length; see `Runner.answer`."""
        ...


def choose_device(wanted: str) -> torch.device:
    """The device to run on; "auto" prefers a GPU.

    Raises:
        UsageError: if the one wanted is not there.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return torch.device(next(name for name, available in there.items() if available))
    if not there[wanted]:
        raise UsageError(f"no {wanted} device here", "use --device auto, and see `sepcli doctor`")
    return torch.device(wanted)


class Runner:
    """Holds a network on a device and answers a question for batches of windows.

    Args:
        network: see `Network`.
        options: device, precision, batch size, and whether it is compiled.
        notify: told, in words, of every step back.
    """

    def __init__(
        self, network: Network, options: SeparateOptions, notify: Callable[[str], None]
    ) -> None:
        self._network = Compiled(network) if options.compile else network
        self._notify = notify
        self._device = choose_device(options.device)
        self._precision = options.precision
        self.batch = options.batch_size or BATCHES[self._device.type]
        self._network.to(self._device)

    def answer(self, waves: Sequence[Wave], question: Question, rate: int) -> list[Answer]:
        """Stems of windows of one length.

        Raises:
            MemoryExhausted: if a single short window on the CPU is too much.
        """
        began = time.perf_counter()
        answers = self._answer(waves, question, rate)
        took = (time.perf_counter() - began) / len(waves)
        return [replace(answer, took=took) for answer in answers]

    def _answer(self, waves: Sequence[Wave], question: Question, rate: int) -> list[Answer]:
        try:
            return self._forward(waves, question, rate)
        except (MemoryError, RuntimeError) as error:
            if not is_memory(error):
                raise
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        return self._step_back(waves, question, rate)

    def _step_back(self, waves: Sequence[Wave], question: Question, rate: int) -> list[Answer]:
        if len(waves) > 1:
            half = (len(waves) + 1) // 2
            if half < self.batch:
                self.batch = half
                self._notify(f"out of memory: batches of {half} windows from here on")
            parts = (waves[:half], waves[half:])
            return [answer for part in parts for answer in self.answer(part, question, rate)]
        if len(waves[0]) >= 2 * SHORTEST_SECONDS * rate:
            self._notify(f"out of memory: windows of {len(waves[0]) / rate / 2:.1f} s")
            return [self._in_halves(waves[0], question, rate)]
        if self._device.type != "cpu":
            self._notify(f"out of memory on {self._device.type}: going on with the CPU")
            self._device = torch.device("cpu")
            self._network.to(self._device)
            return self.answer(waves, question, rate)
        raise exhausted("out of memory even for one short window on the CPU")

    def _in_halves(self, wave: Wave, question: Question, rate: int) -> Answer:
        length = len(wave) * 5 // 8
        layout = Layout(length, length // 10, max(1, length // 10))
        windows = list(cut([wave], layout))
        parts = [self.answer([window.wave], question, rate)[0] for window in windows]
        answers = zip(windows, (part.stems for part in parts), strict=True)
        joiner = Joiner(layout)
        stems = [joiner.add(*pair) for pair in in_order(answers, question, rate)]
        heard = [part.presence for part in parts if part.presence is not None]
        return Answer(np.concatenate(stems, axis=1), np.max(heard, axis=0) if heard else None)

    def _forward(self, waves: Sequence[Wave], question: Question, rate: int) -> list[Answer]:
        mixture = torch.from_numpy(np.stack([wave.T for wave in waves])).to(self._device)
        queries = question.embeddings
        queries = None if queries is None else queries.to(self._device)
        with torch.inference_mode(), self._autocast():
            stems, presence = self._by_channels(mixture, queries, question.channels, rate)
            stems, presence = stems.float(), None if presence is None else presence.float()
            wanted = stems.shape[1] - question.negatives
            if question.negatives:
                stems = deny(stems[:, :wanted], stems[:, wanted:], mixture, rate)
                presence = None if presence is None else presence[:, :wanted]
            if question.compete and wanted > 1:
                stems = share(stems, mixture, rate)
        rows = stems.transpose(2, 3).cpu().numpy()
        heard = [None] * len(rows) if presence is None else list(presence.cpu().numpy())
        return [Answer(row, present) for row, present in zip(rows, heard, strict=True)]

    def _by_channels(
        self, mixture: Tensor, queries: Tensor | None, channels: int | None, rate: int
    ) -> tuple[Tensor, Tensor | None]:
        """A network of a fixed number of channels hears groups of channels as separate items."""
        count = mixture.shape[1]
        if channels is None or channels == count:
            return self._network(mixture, queries, rate)
        missing = -count % channels
        padded = torch.cat([mixture, mixture[:, -1:].expand(-1, missing, -1)], dim=1)
        items = padded.reshape(-1, channels, mixture.shape[-1])
        stems, presence = self._network(items, queries, rate)
        stems = stems.view(len(mixture), -1, *stems.shape[1:]).transpose(1, 2).flatten(2, 3)
        if presence is not None:
            presence = presence.view(len(mixture), -1, presence.shape[-1]).amax(dim=1)
        return stems[:, :, :count], presence

    def _autocast(self) -> AbstractContextManager[object]:
        kinds = {"bf16": torch.bfloat16, "fp16": torch.float16}
        if self._precision in kinds:
            return torch.autocast(self._device.type, kinds[self._precision])
        return nullcontext()


def in_order(
    answers: Iterable[tuple[Window, NDArray[np.float32]]], question: Question, rate: int
) -> Iterable[tuple[Window, NDArray[np.float32]]]:
    """Windows with their stems, all in one order if they come in any."""
    return stitched(answers, rate) if question.unordered else answers


def exhausted(what: str) -> MemoryExhausted:
    """The error of a want of memory, in words."""
    remedy = "close other programs, ask fewer queries at once, or use a smaller --window or model"
    return MemoryExhausted(what, remedy)
