"""A published checkpoint in, a safetensors file with our network's keys out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from sepcli.errors import ModelError, UsageError
from sepcli.registry.convert.audiosep import AUDIOSEP
from sepcli.registry.convert.bimodal import BIMODAL
from sepcli.registry.convert.checkpoint import State, read_checkpoint
from sepcli.registry.convert.clipsep import CLIPSEP
from sepcli.registry.convert.converter import Converter, Shapes
from sepcli.registry.convert.keys import Dropped, check, select, shapes_of, unwrapped
from sepcli.registry.convert.laion_clap import LAION_CLAP
from sepcli.registry.convert.tiger import TIGER, TIGER_DNR
from sepcli.registry.convert.write import write_tensors
from sepcli.sections import suggestion

# A separator's checkpoint may carry a CLAP, but never the other way round: separators are first.
CONVERTERS: dict[str, Converter] = {
    "audiosep": AUDIOSEP,
    "bimodal": BIMODAL,
    "clipsep": CLIPSEP,
    "tiger": TIGER,
    "tiger-dnr": TIGER_DNR,
    "laion-clap": LAION_CLAP,
}
RECORDS = "records of training"


@dataclass(frozen=True)
class ConversionReport:
    """What became of a checkpoint.

    Attributes:
        kind: in CONVERTERS.
        source, target: the files.
        size_before, size_after: bytes.
        kept: keys in the new file.
        dropped: why -> names in the old file.
        arguments: of the network; empty for an encoder.
    """

    kind: str
    source: Path
    target: Path
    size_before: int
    size_after: int
    kept: list[str]
    dropped: Dropped
    arguments: dict[str, Any] = field(default_factory=dict)


def convert_file(kind: str, source: Path, target: Path, half: bool = False) -> ConversionReport:
    """Convert a checkpoint, strictly: every key is expected, and every expected key is there.

    Args:
        kind: in CONVERTERS.
        source: .ckpt, .pt, .pth.tar or .safetensors.
        target: safetensors, written whole or not at all.
        half: write float16 instead of float32.

    Raises:
        UsageError: if there is no such kind.
        ModelError: if the source is refused, or is not of this kind.
        OutputError: if the target cannot be written.
    """
    converter = converter_of(kind)
    checkpoint = read_checkpoint(source)
    state = unwrapped(checkpoint.state)
    if converter.root(state) is None:
        raise _not_of_this_kind(state, converter, source)
    selection = select(state, converter)
    shapes = shapes_of(selection.kept)
    check(selection.kept, converter.expected(shapes), converter.title, source.name)
    arguments = arguments_of(converter, shapes, source)
    write_tensors(target, selection.kept, torch.float16 if half else torch.float32)
    records = {RECORDS: checkpoint.records} if checkpoint.records else {}
    return ConversionReport(
        kind=kind,
        source=source,
        target=target,
        size_before=source.stat().st_size,
        size_after=target.stat().st_size,
        kept=list(selection.kept),
        dropped={**records, **selection.dropped},
        arguments=arguments,
    )


def arguments_of(converter: Converter, shapes: Shapes, source: Path) -> dict[str, Any]:
    """What the network is made with, as shapes and what lies beside the checkpoint tell."""
    if converter.network is None:
        return {}
    return converter.network.arguments(shapes) | converter.network.settings(source)


def converter_of(kind: str) -> Converter:
    """The converter of a kind.

    Raises:
        UsageError: if there is none.
    """
    if kind not in CONVERTERS:
        hint = suggestion(kind, CONVERTERS)
        raise UsageError(
            f"no kind {kind} of checkpoint{hint}", f"known are {', '.join(CONVERTERS)}"
        )
    return CONVERTERS[kind]


def guess_kind(source: Path) -> str:
    """The kind of a checkpoint, by its keys.

    Raises:
        ModelError: if it is refused, or of no known kind.
    """
    kind = _kind_of(unwrapped(read_checkpoint(source).state), CONVERTERS)
    if kind is None:
        message = f"{source.name} is no checkpoint of a known kind"
        raise ModelError(message, f"known are {', '.join(CONVERTERS)}; say which with --kind")
    return kind


def _kind_of(state: State, converters: Mapping[str, Converter]) -> str | None:
    fitting = (kind for kind, c in converters.items() if c.root(state) is not None)
    return next(fitting, None)


def _not_of_this_kind(state: State, converter: Converter, source: Path) -> ModelError:
    other = _kind_of(state, CONVERTERS)
    message = f"{source.name} is no checkpoint of {converter.title}: it lacks {converter.mark}"
    return ModelError(message, f"try --kind {other}" if other else "give one as published")
