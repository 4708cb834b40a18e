"""Short sounds cut from software packages, with a manifest.csv, split by package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sepcli.evaluation.datasets.tables import read_table
from sepcli.training.corpora.clip import Clip, package_split

COLUMNS = ("file", "label", "package", "licence", "ship")


def read_sounds(root: Path) -> Iterator[Clip]:
    """The rows of the manifest."""
    for row in read_table(root / "manifest.csv", COLUMNS):
        yield Clip(
            path=root / row["file"],
            labels=(row["label"],),
            origin=row["package"],
            split=package_split(row["package"]),
            licence=row["licence"],
            credit=f"Debian or PyPI package {row['package']}",
            ship=row["ship"] == "yes",
            corpus="sounds",
        )
