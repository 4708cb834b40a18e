"""Everything a separation is told, checked and frozen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sepcli.errors import UsageError
from sepcli.separation.queries import Query

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]

STREAM = "-"  # standard input or output
AUTO_LIMIT = 5  # sounds that are taken out unasked
DEFAULT_TEMPLATE = "{input}.{query}.{ext}"


@dataclass(frozen=True)
class SeparateOptions:
    """Options of `sepcli separate`; the defaults are the command's.

    Attributes:
        inputs: files, folders, globs, manifests (.csv, .jsonl) or "-".
        queries: what to take out, one stem each.
        negatives: descriptions of what must not be in any stem.
        output: folder of the stems, or "-" for standard output.
        template: of the stems' names, with {input}, {query}, {ext}, {parent}, {model},
            {start} and {end}.
        remove: give the recording without the queries' sounds, instead of the sounds.
        residual: also give what no query took.
        compete: make overlapping stems share, so that none claims what another does.
        stems: of a model that names its stems, only these.
        drop_silent: leave out stems 50 dB or more below the recording, such as that of a second
            speaker where there is only one.
        auto: take out what is detected in each recording, in place of queries.
        auto_limit: at most so many sounds of each, the surest.
        gains: write one mix in place of stems: a factor for every stem, and for the rest last.
        model: name or folder; None for the default.
        registry: a registry file that goes before all others.
        clip: the CLIP that looks at pictures, a folder or a name in the hub's cache; None for
            the model's own.
        container: wav, flac, ...; None keeps the input's.
        bits: 16, 24, 32 or float; None keeps the input's.
        start: seconds to leave out at the beginning.
        duration: seconds to separate; None for all.
        batch_size: windows at once; None for the device's default.
        window: seconds a network hears at once; None for the model's own.
        compile: translate the network for the device before it is used.
    """

    inputs: tuple[str, ...]
    queries: tuple[Query, ...] = ()
    negatives: tuple[str, ...] = ()
    output: str = "separated"
    template: str = DEFAULT_TEMPLATE
    remove: bool = False
    residual: bool = False
    compete: bool = False
    stems: tuple[str, ...] = ()
    drop_silent: bool = False
    auto: bool = False
    auto_limit: int = AUTO_LIMIT
    gains: tuple[float, ...] | None = None
    recursive: bool = False
    model: str | None = None
    registry: Path | None = None
    clip: str | None = None
    container: str | None = None
    bits: str | None = None
    start: float = 0.0
    duration: float | None = None
    device: Device = "auto"
    precision: Precision = "auto"
    batch_size: int | None = None
    window: float | None = None
    compile: bool = False
    require_presence: bool = False
    skip_existing: bool = False
    overwrite: bool = False
    dry_run: bool = False


def parse_batch_size(text: str) -> int | None:
    """A number of windows, or None for "auto".

    Raises:
        UsageError: if it is neither.
    """
    if text == "auto":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"not a batch size: {text}", "give auto, or a whole number from 1")
    return int(text)
