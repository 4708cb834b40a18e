"""The table of sounds that the shipped model was trained on: which package has which of them.

`debian_sounds.csv.gz` has a row for every clip. Its columns:

- `file`: where the clip goes, `folder/package__number.ogg`; `label`, `split`, `licence`, `ship`: as
  in a `Clip`;
- `package`: a Debian package, or `pypi_NAME` for a wheel from PyPI, underscores for its hyphens;
- `path`: inside the package; what follows `!/` is a member of the archive before it;
- `sha256`: the first 16 hexadecimal digits of the packaged file's hash, as of Debian 12;
- `start`: empty if the whole file is the clip, else the second from which `seconds` were cut.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from sepcli.training.corpora.clip import Clip, Split

TABLE = Path(__file__).with_name("debian_sounds.csv.gz")
INSIDE = "!/"  # between an archive and its member


@dataclass(frozen=True)
class PackagedSound:
    """A row of the table.

    Attributes:
        file: where the clip goes, below the corpus's folder.
        label: what is heard.
        split: the part of training it belongs to.
        package: where it is from.
        path: inside the package, and inside an archive there.
        licence: in the words of the package's copyright file.
        ship: whether a model trained on it may be published under CC BY-SA.
        seconds: length.
        start: where in the file the clip was cut from; None for a whole file.
        sha256: first digits of the hash of the packaged file.
    """

    file: str
    label: str
    split: Split
    package: str
    path: str
    licence: str
    ship: bool
    seconds: float
    start: float | None
    sha256: str

    @property
    def outer(self) -> str:
        """The file of the package that holds the sound: itself, or an archive."""
        return self.path.split(INSIDE)[0]

    @property
    def member(self) -> str | None:
        """The sound's name in the archive, if it is in one."""
        _, _, member = self.path.partition(INSIDE)
        return member or None

    def clip(self, root: Path) -> Clip:
        """The clip that it becomes."""
        return Clip(
            path=root / self.file,
            labels=(self.label,),
            origin=self.package,
            split=self.split,
            licence=self.licence,
            credit=f"{self.path} of the package {self.package}",
            ship=self.ship,
            duration=self.seconds,
            corpus="debian-sounds",
        )


def read_table(path: Path = TABLE) -> list[PackagedSound]:
    """All rows of the table."""
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        return list(_parsed(csv.DictReader(file)))


def _parsed(rows: Iterator[dict[str, str]] | csv.DictReader[str]) -> Iterator[PackagedSound]:
    splits: dict[str, Split] = {split: split for split in get_args(Split)}
    for row in rows:
        yield PackagedSound(
            file=row["file"],
            label=row["label"],
            split=splits[row["split"]],
            package=row["package"],
            path=row["path"],
            licence=row["licence"],
            ship=row["ship"] == "yes",
            seconds=float(row["seconds"]),
            start=float(row["start"]) if row["start"] else None,
            sha256=row["sha256"],
        )
