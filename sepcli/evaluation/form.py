"""The form in which a protocol compares audio: its channels and its rate."""

from __future__ import annotations

import soxr

from sepcli.evaluation.datasets.base import Example
from sepcli.evaluation.protocols import Protocol
from sepcli.evaluation.scene import Array


def formed(wave: Array, rate: int, protocol: Protocol) -> Array:
    """A signal (channels, samples) of `rate` Hz as the protocol compares it."""
    if protocol.mono:
        wave = wave.mean(axis=0, keepdims=True)
    wanted = rate_of(rate, protocol)
    if wanted != rate:
        wave = soxr.resample(wave.T, rate, wanted, "VHQ").T
    return wave


def rate_of(rate: int, protocol: Protocol) -> int:
    """The rate, in Hz, at which the protocol compares what was recorded at `rate` Hz."""
    return rate if protocol.rate is None else protocol.rate


def formed_example(example: Example, protocol: Protocol) -> Example:
    """An item's audio as the protocol compares it."""
    references = {
        stem: formed(wave, example.rate, protocol) for stem, wave in example.references.items()
    }
    mixture = formed(example.mixture, example.rate, protocol)
    return Example(rate_of(example.rate, protocol), mixture, references)
