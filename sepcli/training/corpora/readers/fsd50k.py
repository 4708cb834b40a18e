"""FSD50K (Fonseca et al., 2020): clips of Freesound with labels of AudioSet.

Its lists give every label with all that it is a kind of: Electric_guitar, Guitar, ..., Music. The
latter are left out here, since they would make one sound look like many.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sepcli.errors import UsageError
from sepcli.evaluation.datasets.tables import read_table
from sepcli.training.corpora.clip import Clip, Split
from sepcli.training.corpora.licences import shippable

TRUTH = "FSD50K.ground_truth"
DEV_SPLITS: dict[str, Split] = {"train": "train", "val": "validation"}


def read_fsd50k(root: Path) -> Iterator[Clip]:
    """The part `dev` by its own split into train and val, and `eval`, which is the test.

    Licences come from FSD50K.metadata; without it they are unknown, and nothing is shippable.
    """
    path = root / TRUTH / "dev.csv"
    rows = read_table(path, ("fname", "labels", "split"))
    kinds = implied(row["labels"].split(",") for row in rows)
    known = metadata(root, "dev")
    for number, row in enumerate(rows, 2):
        if row["split"] not in DEV_SPLITS:
            message = f"{path}, row {number}: the split is {row['split']}, not train or val"
            raise UsageError(message, "get the file again")
        labels = narrowest(row["labels"].split(","), kinds)
        yield clip(root, "dev", row["fname"], labels, DEV_SPLITS[row["split"]], known)
    if (path := root / TRUTH / "eval.csv").is_file():
        known = metadata(root, "eval")
        for row in read_table(path, ("fname", "labels")):
            labels = narrowest(row["labels"].split(","), kinds)
            yield clip(root, "eval", row["fname"], labels, "test", known)


def implied(rows: Iterable[Sequence[str]]) -> dict[str, set[str]]:
    """Label -> the others that stand in every row that it stands in: what it is a kind of."""
    common: dict[str, set[str]] = {}
    for row in rows:
        for label in row:
            common[label] = common.get(label, set(row)) & set(row)
    return {label: others - {label} for label, others in common.items()}


def narrowest(labels: Sequence[str], kinds: Mapping[str, set[str]]) -> tuple[str, ...]:
    """The labels that no other label of the clip implies; of two that imply each other, the first.

    Args:
        labels: of a clip.
        kinds: label -> what it implies.
    """
    return tuple(
        label
        for place, label in enumerate(labels)
        if not any(
            label in kinds.get(other, ()) and (other not in kinds.get(label, ()) or at < place)
            for at, other in enumerate(labels)
        )
    )


def clip(
    root: Path,
    part: str,
    number: str,
    labels: tuple[str, ...],
    split: Split,
    known: Mapping[str, Any],
) -> Clip:
    """A clip of a part, `dev` or `eval`; its file is named for its number at Freesound."""
    facts = known.get(number, {})
    licence = str(facts.get("license", ""))
    who = (
        f"{facts['title']} by {facts['uploader']}, " if {"title", "uploader"} <= set(facts) else ""
    )
    return Clip(
        path=root / f"FSD50K.{part}_audio" / f"{number}.wav",
        labels=labels,
        origin=number,
        split=split,
        licence=licence,
        credit=f"{who}freesound.org {number}",
        ship=shippable(licence),
        corpus="fsd50k",
    )


def metadata(root: Path, part: str) -> dict[str, Any]:
    """Number at Freesound -> title, uploader and license; empty if the file is not there."""
    path = root / "FSD50K.metadata" / f"{part}_clips_info_FSD50K.json"
    if not path.is_file():
        return {}
    try:
        table: dict[str, Any] = dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"cannot read {path}: {error}", "get the file again") from error
    return table
