"""What is evaluated: a model that separates, or a folder of stems that another tool made."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol as Interface

from sepcli.audio.folder import EXTENSIONS
from sepcli.errors import ItemError, UsageError
from sepcli.evaluation.check import PADDING
from sepcli.evaluation.datasets.base import Example, Item
from sepcli.evaluation.datasets.sound import Track, fitted, read_sound
from sepcli.evaluation.form import formed, rate_of
from sepcli.evaluation.protocols import Protocol
from sepcli.evaluation.results import SYSTEM, Row
from sepcli.evaluation.scene import Array, Signal
from sepcli.hashing import sha256_of

SUBSETS = ("test", "valid", "train")

Stems = Mapping[str, Signal]  # stem -> (channels, samples)


@dataclass(frozen=True)
class Made:
    """What a system gave for an item.

    Attributes:
        systems: name of a system, or of another way to ask it -> its stems.
        presence: stem -> how sure the model is that it is there.
        rows: finished figures of what else was asked.
    """

    systems: Mapping[str, Stems]
    presence: Mapping[str, float] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()


class System(Interface):
    """Something that makes estimates.

    Attributes:
        kind: "model" or "estimates".
        name: for people.
        fingerprint: changes whenever its estimates may.
        portable: whether it can be sent to worker processes.
    """

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def portable(self) -> bool: ...

    def key(self, item: Item, stems: tuple[str, ...]) -> str:
        """Identifies what `make` would give for an item."""
        ...

    def make(self, item: Item, example: Example, protocol: Protocol) -> Made:
        """Estimates of an item's stems.

        Raises:
            ItemError: if there are none.
        """
        ...


class FolderSystem:
    """Stems on disk.

    Args:
        folder: with `<item>/<stem>.wav`, `<item>.<stem>.wav`, `<item>_<stem>.wav`,
            `<item> - <stem>.wav` or `<stem>/<item>.wav`, in any format that can be decoded;
            folders of an item's name may be left out, and all may lie in a folder `test`,
            `valid` or `train`, as museval has it.

    Raises:
        UsageError: if it is not a folder.
    """

    kind, portable = "estimates", True

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise UsageError(f"no folder of estimates {folder}", "check the path")
        self.folder, self.name, self.fingerprint = folder, folder.resolve().name, ""

    def key(self, item: Item, stems: tuple[str, ...]) -> str:
        """Hash of the content of the item's files."""
        digest = hashlib.sha256()
        for stem in stems:
            digest.update(sha256_of(self.find(item.name, stem)).encode())
        return digest.hexdigest()

    def make(self, item: Item, example: Example, protocol: Protocol) -> Made:
        """Decode an item's stems."""
        stems = {
            stem: read_estimate(self.find(item.name, stem), example, protocol)
            for stem in example.references
        }
        return Made({SYSTEM: stems})

    def find(self, item: str, stem: str) -> Path:
        """The file of a stem.

        Raises:
            ItemError: if there is none, or more than one.
        """
        places = itertools.product((Path(), *map(Path, SUBSETS)), candidates(item, stem))
        for subset, (folder, pattern) in places:
            found = matching(self.folder / subset / folder, pattern)
            if len(found) > 1:
                names = ", ".join(path.name for path in found)
                message = f"{item}: several files may be its {stem}: {names}"
                raise ItemError(message, "keep the one to be scored")
            if found:
                return found[0]
        message = f"{item}: no estimate of {stem} in {self.folder}"
        raise ItemError(message, f"name it {item}/{stem}.wav")


def candidates(item: str, stem: str) -> Iterator[tuple[Path, str]]:
    """Folders and names, without extension, of a stem's file, the most explicit first."""
    path = Path(item)
    slug = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")
    for parent in dict.fromkeys([path.parent, Path()]):
        yield parent / path.name, stem
        for joint in (".", "_", " - "):
            for name in dict.fromkeys([stem, slug]):
                yield parent, f"{path.name}{joint}{name}"
        yield Path(stem) / parent, path.name


def matching(folder: Path, name: str) -> list[Path]:
    """Recordings of that name in a folder, whatever their case and extension."""
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower().lstrip(".") in EXTENSIONS and path.stem.lower() == name.lower()
    )


def read_estimate(path: Path, example: Example, protocol: Protocol) -> Array:
    """An estimate (channels, samples) with the rate, channels and length of its mixture.

    It is brought to the protocol's form like the mixture was, from whatever rate and channels if
    the protocol prescribes them. Up to a tenth of a second may be missing or too much at its end,
    as encoders leave it.

    Args:
        path: of the file.
        example: the mixture, in the protocol's form.
        protocol: says the form.

    Raises:
        ItemError: if it differs by more: a score would mean nothing.
    """
    sound = read_sound(Track(path))
    wave, rate = formed(sound.wave, sound.rate, protocol), rate_of(sound.rate, protocol)
    (channels, length), (wanted, samples) = wave.shape, example.mixture.shape
    if rate != example.rate:
        message = f"{path}: {rate} Hz, but the mixture has {example.rate} Hz"
        raise ItemError(message, "resample the estimates")
    if channels != wanted:
        message = f"{path}: {channels} channels, but the mixture has {wanted}"
        raise ItemError(message, "make estimates with the mixture's channels")
    if abs(off := length - samples) > PADDING * example.rate:
        message = f"{path}: {abs(off)} samples {'too long' if off > 0 else 'too short'}"
        raise ItemError(message, "see `sepcli eval check`")
    return fitted(wave, samples)
