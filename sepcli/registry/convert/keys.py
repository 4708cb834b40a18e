"""From the keys of a published checkpoint to those of our network, strictly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sepcli.errors import ModelError
from sepcli.registry.convert.checkpoint import State
from sepcli.registry.convert.converter import COMPUTED, Converter, Shapes

DATA_PARALLEL = "module."  # DistributedDataParallel puts it before every key
SHOWN = 10  # keys that an error names of each sort

Dropped = dict[str, list[str]]  # reason -> keys


@dataclass(frozen=True)
class Selection:
    """What is kept of a checkpoint, by its new keys, and what is not, by its old ones."""

    kept: State
    dropped: Dropped


def unwrapped(state: State) -> State:
    """A state without the prefix that training on several devices leaves."""
    if not all(key.startswith(DATA_PARALLEL) for key in state):
        return state
    return {key.removeprefix(DATA_PARALLEL): value for key, value in state.items()}


def select(state: State, converter: Converter) -> Selection:
    """Drop what is not needed, and take the root off the other keys.

    Args:
        state: unwrapped, of the converter's kind.
        converter: of that kind.

    Raises:
        ModelError: if two keys become one.
    """
    root = converter.root(state) or ""
    kept: State = {}
    dropped: Dropped = {}
    for key, value in state.items():
        if (reason := _unneeded(key, converter)) is not None:
            dropped.setdefault(reason, []).append(key)
            continue
        if (ours := key.removeprefix(root)) in kept:
            raise ModelError(f"two tensors are called {ours}", "give the file as published")
        kept[ours] = value
    return Selection(kept, dropped)


def check(kept: State, expected: Shapes, title: str, name: str) -> None:
    """Compare keys, shapes and types with those of the network.

    Raises:
        ModelError: naming what is missing, left over or of another shape, ten of each.
    """
    shapes = shapes_of(kept)
    wrong = [
        f"{key} {list(shape)} instead of {list(expected[key])}"
        for key, shape in shapes.items()
        if key in expected and shape != expected[key]
    ]
    odd = [f"{key} ({value.dtype})" for key, value in kept.items() if not value.is_floating_point()]
    findings = {
        "missing": sorted(expected.keys() - shapes.keys()),
        "left over": sorted(shapes.keys() - expected.keys()),
        "of another shape": wrong,
        "no real numbers": odd,
    }
    texts = [f"{len(keys)} {what}: {_some(keys)}" for what, keys in findings.items() if keys]
    if texts:
        message = f"{name} does not fit {title}; {'; '.join(texts)}"
        raise ModelError(message, "give a checkpoint of this architecture, as published")


def shapes_of(state: State) -> Shapes:
    """Every tensor's shape."""
    return {key: tuple(value.shape) for key, value in state.items()}


def _unneeded(key: str, converter: Converter) -> str | None:
    for reason, pattern in {**converter.unneeded, **COMPUTED}.items():
        if re.fullmatch(pattern, key):
            return reason
    return None


def _some(keys: Sequence[str]) -> str:
    return ", ".join(keys[:SHOWN]) + (", …" if len(keys) > SHOWN else "")
