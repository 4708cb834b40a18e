"""What is told of a kind of published checkpoint; one file here for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sepcli.registry.convert.checkpoint import State

Shapes = dict[str, tuple[int, ...]]

COMPUTED = {
    "counts of training batches": r".*\.num_batches_tracked",  # evaluation does not use them
    "STFT and mel kernels": r".*\b(i?stft|spectrogram_extractor|logmel_extractor)\..*",
    "indices": r".*\.(position_ids|relative_position_index|attn_mask)",
}  # dropped of every kind, since the architecture says them


@dataclass(frozen=True)
class Network:
    """The separator that a checkpoint fills.

    Attributes:
        architecture: its name in ARCHITECTURES.
        arguments: shapes of a checkpoint -> arguments of the architecture.
        entry: arguments -> what else a registry entry must say for it to run.
        settings: a checkpoint's path -> arguments that stand beside it, not in its shapes.
        takes_clap: whether a CLAP among the model's files reads its queries.
    """

    architecture: str
    arguments: Callable[[Shapes], dict[str, Any]]
    entry: Callable[[dict[str, Any]], dict[str, Any]]
    settings: Callable[[Path], dict[str, Any]] = lambda _: {}
    takes_clap: bool = True


@dataclass(frozen=True)
class Converter:
    """A kind of checkpoint.

    Attributes:
        title: what people call it.
        licence: of the weights, as far as it is known.
        mark: a key that every checkpoint of this kind has, and none of another.
        roots: prefixes that its keys may carry.
        unneeded: why keys are dropped -> pattern of whole keys, roots included.
        expected: shapes of a checkpoint -> exactly those it must have.
        network: what it fills, or None for an encoder of queries.
    """

    title: str
    licence: str
    mark: str
    roots: tuple[str, ...]
    expected: Callable[[Shapes], Shapes]
    unneeded: Mapping[str, str] = field(default_factory=dict)
    network: Network | None = None

    def root(self, state: State) -> str | None:
        """The prefix of this kind's keys in a checkpoint; None if it is not of this kind."""
        return next((root for root in self.roots if root + self.mark in state), None)
