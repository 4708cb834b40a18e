"""What a plan's separation gave, against references of your own.

References lie in a folder like the stems do in theirs: REFERENCES/ITEM/QUERY.wav or
REFERENCES/ITEM.QUERY.wav, where ITEM is what a stem is called before its query, below the folders
that it is in. With the names that `sepcli plan` gives by default, ITEM is the recording's name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sepcli.audio.folder import recordings_in
from sepcli.audio.reader import blocks
from sepcli.batch.plan_file import Plan
from sepcli.errors import ItemError, UsageError
from sepcli.evaluation.datasets.sound import Sound, Track
from sepcli.evaluation.datasets.stems import FileItem
from sepcli.evaluation.systems import FolderSystem
from sepcli.separation.naming import slug
from sepcli.separation.plan import Job

SCORED = ("query", "stem", "removed")  # kinds of stems that may have references
LAYOUT = "name them ITEM/QUERY.wav or ITEM.QUERY.wav, as the stems are called"


@dataclass(frozen=True)
class Wanted:
    """A stem that is to be scored.

    Attributes:
        item: what the row is called.
        stem: the query, as it is written in file names.
        path: of the stem.
        job: of the row.
    """

    item: str
    stem: str
    path: Path
    job: Job


@dataclass(frozen=True)
class PlannedItem(FileItem):
    """A recording, or the part of it that was separated, with a reference for every stem.

    Attributes:
        job: of its row.
    """

    job: Job | None = None

    def _heard(self) -> Sound | None:
        assert self.job is not None
        info = self.job.info
        parts = list(blocks(info, self.job.start, self.job.duration))
        if not parts:
            raise ItemError(f"no samples in {info.path}", "make the plan anew")
        return Sound(Track(info.path), info.rate, np.concatenate(parts).T.astype(np.float64))


class PlanSystem(FolderSystem):
    """The stems that a plan's separation wrote.

    Args:
        plan: that was separated.
    """

    def __init__(self, plan: Plan) -> None:
        self.folder, self.name, self.fingerprint = plan.path, plan.path.stem, ""
        self._stems = {(one.item, one.stem): one.path for one in wanted(plan)}

    def find(self, item: str, stem: str) -> Path:
        """The file of a stem.

        Raises:
            ItemError: if it has gone since the evaluation was begun.
        """
        path = self._stems[item, stem]
        if not path.is_file():
            raise ItemError(f"{item}: {path} has gone", "separate the plan again")
        return path


def planned_items(plan: Plan, references: Path) -> list[PlannedItem]:
    """Items of a plan's rows.

    Args:
        plan: that was separated.
        references: folder, see above.

    Raises:
        UsageError: if stems or references are missing, and how many; or if what belongs together
            is not clear from the names.
    """
    if not references.is_dir():
        raise UsageError(f"no folder of references {references}", "check the path")
    stems = list(wanted(plan))
    unfinished = [str(one.path) for one in stems if not one.path.is_file()]
    remedy = f"finish the plan: sepcli separate --plan {plan.path}"
    refuse_missing(unfinished, len(stems), "stems are not there yet", remedy)
    truth = references_in(references)
    lost = [f"{one.item}/{one.stem}" for one in stems if not truth[key_of(one)]]
    refuse_missing(lost, len(stems), f"references are not in {references}", LAYOUT)
    return sorted(items_of(stems, truth), key=lambda item: item.name)


def wanted(plan: Plan) -> Iterator[Wanted]:
    """The stems of a plan that can be scored.

    Raises:
        UsageError: if there are none, or two would have one reference.
    """
    folder, seen = Path(plan.options.output), set[tuple[str, str]]()
    for job in (plan.row(index).job for index in range(len(plan))):
        for output in (output for output in job.outputs if output.kind in SCORED):
            stem = slug(output.name)
            item = item_name(output.path.relative_to(folder), stem, job.info.path)
            if (item, stem) in seen:
                message = f"two rows of {plan.path} are called {item}"
                raise UsageError(message, "plan with a --name that tells them apart")
            seen.add((item, stem))
            yield Wanted(item, stem, output.path, job)
    if not seen:
        raise UsageError(f"{plan.path} plans no stem that can be scored", "plan one with --query")


def item_name(output: Path, stem: str, recording: Path) -> str:
    """What a row is called: its stem's name before the query, or else the recording's name."""
    before, found, _ = output.name.rpartition(f".{stem}.")
    return (output.parent / (before if found else recording.stem)).as_posix()


def references_in(folder: Path) -> defaultdict[str, list[Path]]:
    """Recordings below a folder, by their path in it without its suffix, in small letters."""
    found = defaultdict[str, list[Path]](list)
    for path in recordings_in(folder, recursive=True):
        found[path.relative_to(folder).with_suffix("").as_posix().lower()].append(path)
    for name in list(found):
        item, dot, query = name.rpartition(".")
        if dot:  # ITEM.QUERY is as good as ITEM/QUERY
            found[f"{item}/{query}"] += found[name]
    return found


def key_of(one: Wanted) -> str:
    """Where `references_in` has a stem's reference."""
    return f"{one.item}/{one.stem}".lower()


def items_of(stems: Iterable[Wanted], truth: dict[str, list[Path]]) -> Iterator[PlannedItem]:
    """Items with their references.

    Raises:
        UsageError: if several files may be one reference.
    """
    rows = defaultdict[str, list[Wanted]](list)
    for one in stems:
        rows[one.item].append(one)
        if len(found := truth[key_of(one)]) > 1:
            names = ", ".join(map(str, found))
            message = f"several files may be the reference of {one.item}/{one.stem}: {names}"
            raise UsageError(message, "keep one of them")
    for name, row in rows.items():
        job = row[0].job
        words = {slug(query.name): query.text for query in job.queries if query.text}
        yield PlannedItem(
            name,
            {one.stem: (Track(truth[key_of(one)][0]),) for one in row},
            Track(job.info.path),
            queries={one.stem: words[one.stem] for one in row if one.stem in words},
            job=job,
        )


def refuse_missing(lost: list[str], count: int, what: str, remedy: str) -> None:
    """Refuse to score a part as if it were all.

    Raises:
        UsageError: if anything is missing.
    """
    if lost:
        raise UsageError(f"{len(lost)} of {count} {what}, such as {lost[0]}", remedy)
