"""Where a data set is, what a folder holds, and the items of a split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sepcli.errors import UsageError
from sepcli.evaluation.datasets.base import Dataset, Evidence, Item
from sepcli.evaluation.datasets.catalogue import ALIASES, DATASETS
from sepcli.sections import suggestion

VARIABLE = "SEPCLI_DATA"  # environment variable: where data sets are, when no root is given


@dataclass(frozen=True)
class Located:
    """A data set that was found.

    Attributes:
        name: in the catalogue.
        root: its folder, or its manifest.
        evidence: why that is what it is.
    """

    name: str
    root: Path
    evidence: Evidence

    @property
    def dataset(self) -> Dataset:
        """Its entry in the catalogue."""
        return DATASETS[self.name]


def locate(name: str, root: Path | None, environ: Mapping[str, str]) -> Located:
    """Find a data set.

    Args:
        name: of the catalogue, or an alias.
        root: where it is; None to look below the folder that SEPCLI_DATA names.
        environ: the environment.

    Raises:
        UsageError: if the name is unknown, or the data set is not there; it then says what the
            data set's licence and size are, and how to get it.
    """
    names = ALIASES.get(name, (name,))
    if not all(known in DATASETS for known in names):
        message = f"no data set {name}{suggestion(name, [*DATASETS, *ALIASES])}"
        raise UsageError(message, "see `sepcli eval datasets`")
    for known in names:
        for place in places(known, root, environ):
            if evidence := DATASETS[known].recognise(place):
                return Located(known, place, evidence)
    raise missing(names[0], root, environ)


def places(name: str, root: Path | None, environ: Mapping[str, str]) -> list[Path]:
    """Where a data set may be and is: at `root`, inside sepcli, or below SEPCLI_DATA."""
    if root is not None:
        return [root] if root.exists() else []
    if (bundled := DATASETS[name].bundled) is not None:
        return [bundled]
    home = environ.get(VARIABLE)
    candidates = [Path(home) / folder for folder in DATASETS[name].home] if home else []
    return [path for path in candidates if path.exists()]


def missing(name: str, root: Path | None, environ: Mapping[str, str]) -> UsageError:
    """The error of a data set that is not there."""
    dataset = DATASETS[name]
    if root is not None:
        what = f"{root} is not {dataset.title}" if root.exists() else f"no such folder: {root}"
        what += f"; it would have {dataset.signature}"
        if others := [other for other, _ in detect(root)]:
            what += f"; it looks like {', '.join(others)}"
    elif home := environ.get(VARIABLE):
        looked = ", ".join(dataset.home) or "nothing"
        what = f"no {name} in {home} (looked for {looked})"
    else:
        what = f"no root for {name}: give --root, or set {VARIABLE}"
    remedy = (
        f"{dataset.title}: licence {dataset.licence}; size {dataset.size}; "
        f"get it from {dataset.how_to_get}"
    )
    return UsageError(what, remedy)


def detect(root: Path) -> list[tuple[str, Evidence]]:
    """What a folder may be, the most certain first; empty if it looks like nothing known."""
    asked = ((name, dataset.recognise(root)) for name, dataset in DATASETS.items())
    found = [(name, evidence) for name, evidence in asked if evidence is not None]
    return sorted(found, key=lambda row: (-row[1].certainty, row[0]))


def items_of(located: Located, split: str | None = None) -> Sequence[Item]:
    """The items of a split, by default the one that papers score.

    Raises:
        UsageError: if there is no such split, nothing in it, or two items have one name.
    """
    dataset = located.dataset
    chosen = next(iter(dataset.splits)) if split is None else split
    if chosen not in dataset.splits:
        message = f"{located.name} has no split {chosen}{suggestion(chosen, dataset.splits)}"
        raise UsageError(message, f"its splits are {', '.join(dataset.splits)}")
    items = dataset.items(located.root, chosen)
    if not items:
        message = f"nothing in the split {chosen} of {located.name} at {located.root}"
        raise UsageError(message, "choose another split, or complete the data set")
    if twice := [name for name, count in Counter(i.name for i in items).items() if count > 1]:
        message = f"{located.name} at {located.root} has two items named {twice[0]}"
        raise UsageError(message, "rename or remove one")
    return items
