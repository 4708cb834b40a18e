"""Mixtures of a manifest as files: a folder each, with the mixture, its sources and its row.

What is written sums to the last bit: sources are first rounded to steps that the file has, and so
is their sum, the mixture. Folders are finished under another name, so that a rendering that was
stopped goes on where it was.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile

from sepcli.audio.writer import output_errors, partial_path
from sepcli.errors import ItemError, UsageError
from sepcli.evaluation.datasets import hive
from sepcli.evaluation.datasets.base import Item
from sepcli.evaluation.scene import Array
from sepcli.training.mixing.example import total
from sepcli.training.mixing.level import Wave
from sepcli.training.mixing.manifest import read_mixtures

MIXTURE = "mixture"  # name of its file
ROW = "mixture.json"
FLOAT_BITS = 24  # of a float32's significand
FLAC_STEP = 2.0**-23  # of full scale, in 24 bits
SPARE = 2**8  # libsndfile takes 24 bits as the upper ones of 32


@dataclass(frozen=True)
class Rendered:
    """What came of a row.

    Attributes:
        name: of the mixture.
        state: `there` if it had been rendered before.
        error: of one that failed.
    """

    name: str
    state: Literal["written", "there", "failed"]
    error: ItemError | None = None


def render(root: Path, split: str, folder: Path, form: str) -> Iterator[Rendered]:
    """Render a manifest that Hive's reader finds, one mixture at a time.

    Args:
        root: above the manifest.
        split: its name.
        folder: where mixtures go.
        form: one of FORMS.

    Raises:
        UsageError: if there is no such manifest, it has two rows of one name, or a folder holds
            another mixture of a row's name.
        OutputError: if the disk is full or read-only.
    """
    path = hive.manifest(root, split)
    if path is None:
        message = f"no {split}/data.jsonl or {split}/data.parquet below {root}"
        raise UsageError(message, "say with --corpus what to mix")
    rows = read_mixtures(path)
    places = hive.read_places(root / hive.PLACES)
    items = [hive.row_item(root, row, number, places) for number, row in enumerate(rows)]
    refuse_doubles(path, [item.name for item in items])
    for row, item in zip(rows, items, strict=True):
        yield rendered(item, row, folder, FORMS[form])


def refuse_doubles(path: Path, names: list[str]) -> None:
    """Raise UsageError if names are not each other's, or no names of folders."""
    seen: set[str] = set()
    for name in names:
        if not name or name in seen or Path(name).name != name:
            message = f"{path}: {name!r} cannot name a mixture, or names two"
            raise UsageError(message, "give every row a mix_id of its own, without slashes")
        seen.add(name)


def rendered(item: Item, row: Mapping[str, Any], folder: Path, form: Wav | Flac) -> Rendered:
    """Render a row, unless it has been."""
    place = folder / item.name
    text = json.dumps(row, indent=1, ensure_ascii=False)
    if place.exists():
        refuse_other(place, text)
        return Rendered(item.name, "there")
    try:
        example = item.read()
        waves = form.fitted(np.concatenate(list(example.references.values())))
    except ItemError as error:
        return Rendered(item.name, "failed", error)
    partial = partial_path(place)
    with output_errors(place):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        form.write(partial / MIXTURE, total(waves), example.rate)
        for name, wave in zip(example.references, waves, strict=True):
            form.write(partial / name, wave, example.rate)
        (partial / ROW).write_text(text, encoding="utf-8")
        partial.rename(place)
    return Rendered(item.name, "written")


def refuse_other(place: Path, text: str) -> None:
    """Raise UsageError if a folder does not hold the mixture of a row."""
    row = place / ROW
    if not row.is_file() or row.read_text(encoding="utf-8") != text:
        message = f"{place} is not the mixture that the manifest has under this name"
        raise UsageError(message, "render into another folder, or delete this one")


class Wav:
    """float32 WAV."""

    def fitted(self, waves: Array) -> Wave:
        """Sounds (sources, samples) in steps so large that float32 has every sum of theirs.

        Float32 has 24 bits: all multiples of 2^(e - 24) that are less than 2^e.
        """
        peak = max(np.abs(waves).max(), np.abs(waves.cumsum(axis=0)).max())
        step = 2.0 ** (math.frexp(peak)[1] - FLOAT_BITS)
        return in_steps(waves, step)

    def write(self, path: Path, wave: Wave, rate: int) -> None:
        """Write it; the suffix is added."""
        soundfile.write(path.with_suffix(".wav"), wave, rate, subtype="FLOAT")


class Flac:
    """24-bit FLAC."""

    def fitted(self, waves: Array) -> Wave:
        """Sounds (sources, samples) in the file's steps.

        Raises:
            ItemError: if they are too loud.
        """
        if max(np.abs(waves).max(), np.abs(waves.sum(axis=0)).max()) > 1 - FLAC_STEP:
            raise ItemError("a source is louder than a FLAC file can be", "render to wav")
        return in_steps(waves, FLAC_STEP)

    def write(self, path: Path, wave: Wave, rate: int) -> None:
        """Write it as integers: floating point, libsndfile would scale a little differently."""
        steps = (wave / FLAC_STEP).astype(np.int32) * SPARE
        soundfile.write(path.with_suffix(".flac"), steps, rate, subtype="PCM_24")


def in_steps(waves: Array, step: float) -> Wave:
    """Rounded to multiples of a power of two."""
    rounded: Wave = (np.round(waves / step) * step).astype(np.float32)
    return rounded


FORMS: dict[str, Wav | Flac] = {"wav": Wav(), "flac": Flac()}
