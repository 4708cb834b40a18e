"""Clotho (Drossos et al., 2020): clips of Freesound with five captions; the first is taken.

The captions are for non-commercial use, so no clip may be shipped, whatever its own licence.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sepcli.evaluation.datasets.tables import read_table
from sepcli.training.corpora.clip import Clip, Split

SPLITS: dict[str, Split] = {
    "development": "train",
    "validation": "validation",
    "evaluation": "test",
}
METADATA_COLUMNS = ("file_name", "sound_id", "license")


def read_clotho(root: Path) -> Iterator[Clip]:
    """clotho_captions_<split>.csv and, for licences and origins, clotho_metadata_<split>.csv.

    Only the list of `development` has to be there.
    """
    for name, split in SPLITS.items():
        path = root / f"clotho_captions_{name}.csv"
        if path.is_file() or split == "train":
            known = metadata(root / f"clotho_metadata_{name}.csv")
            for row in read_table(path, ("file_name", "caption_1")):
                file = row["file_name"]
                facts = known.get(file, {})
                origin = facts.get("sound_id") or file
                yield Clip(
                    path=root / name / file,
                    labels=(),
                    origin=origin,
                    split=split,
                    licence=facts.get("license", ""),
                    credit=f"Clotho, freesound.org {origin}",
                    ship=False,
                    caption=row["caption_1"],
                    corpus="clotho",
                )


def metadata(path: Path) -> dict[str, dict[str, str]]:
    """File -> sound_id and license; empty if the list is not there. Some are not in UTF-8."""
    if not path.is_file():
        return {}
    return {row["file_name"]: row for row in read_table(path, METADATA_COLUMNS, "latin-1")}
