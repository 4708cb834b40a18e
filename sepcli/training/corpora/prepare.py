"""From a corpus as it lies on disk to a manifest.

Every file is decoded once; what cannot be heard is left out, and listed beside the manifest.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sepcli.errors import UsageError
from sepcli.training.corpora.check import Problem, counted, examined
from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.debian import prepare_debian_sounds
from sepcli.training.corpora.guard import held_back
from sepcli.training.corpora.licences import select
from sepcli.training.corpora.manifest import SUFFIXES, row_of, write_jsonl, write_manifest
from sepcli.training.corpora.prepared import Rebuilt
from sepcli.training.corpora.readers import DEBIAN, read_corpus

PROBLEMS = ".problems.jsonl"


@dataclass(frozen=True)
class PrepareReport:
    """What `prepare` found.

    Attributes:
        manifest: the file it wrote.
        clips: in it.
        problems: clips that were left out.
        held_back: how many clips are tests, though their corpus would train on them.
        rebuilt: what became of the sounds of packages, if these were fetched.
    """

    manifest: Path
    clips: tuple[Clip, ...]
    problems: tuple[Problem, ...]
    held_back: int
    rebuilt: Rebuilt | None = None

    @property
    def complete(self) -> bool:
        """Whether all that the corpus lists is in the manifest, as it should be."""
        return not self.problems and (self.rebuilt is None or self.rebuilt.complete)

    @property
    def seconds(self) -> float:
        """Duration of all clips."""
        return sum(clip.duration or 0.0 for clip in self.clips)

    @property
    def splits(self) -> dict[str, int]:
        """Split -> number of clips."""
        return dict(Counter(clip.split for clip in self.clips))

    @property
    def left_out(self) -> dict[str, int]:
        """`missing`, `broken` or `silent` -> number of clips."""
        return dict(Counter(problem.kind for problem in self.problems))

    @property
    def listing(self) -> Path | None:
        """The file that lists the problems, if there are any."""
        return problems_of(self.manifest) if self.problems else None


def prepare(
    name: str,
    root: Path,
    out: Path,
    fetching: Callable[[str], None] = lambda _package: None,
    decoded: Callable[[int, int], None] = lambda _done, _all: None,
    packages: Sequence[str] | None = None,
    licences: str | Sequence[str] = "any",
) -> PrepareReport:
    """Write a corpus's manifest, and if clips were left out, OUT.problems.jsonl beside it.

    Args:
        name: of a reader. `debian-sounds` are first rebuilt from their packages in `root`.
        root: the corpus's folder, or the file of a manifest.
        out: the manifest to write, which ends in .jsonl or .parquet.
        fetching: hears the name of each package before it is fetched.
        decoded: hears how many clips have been decoded, and of how many.
        packages: which ones are fetched, None for all; `debian-sounds` only.
        licences: which clips are taken, as in `select` of licences.py.

    Raises:
        UsageError: if the corpus is not there, a list in it is broken, or no clip can be heard.
        OutputError: if the disk is full or read-only.
    """
    if out.suffix not in SUFFIXES:
        raise UsageError(f"{out} is no manifest", f"end its name in {' or '.join(SUFFIXES)}")
    if packages is not None and name != DEBIAN:
        raise UsageError(f"{name} has no packages", f"leave --packages out, or prepare {DEBIAN}")
    rebuilt = None
    if name == DEBIAN:
        rebuilt = prepare_debian_sounds(root, packages, licences, told=fetching)
    listed = select(read_corpus(name, root), licences)
    if not listed:
        raise UsageError(f"no clip in {root} has such a licence", "allow more with --licences")
    kept = held_back(listed)
    clips: list[Clip] = []
    problems: list[Problem] = []
    for done, row in enumerate(examined(kept, os.cpu_count() or 1), 1):
        decoded(done, len(kept))
        if isinstance(row, Problem):
            problems.append(row)
        else:
            clips.append(row)
    if not clips:
        message = f"none of {len(listed)} clips in {root} can be heard ({counted(problems)})"
        raise UsageError(f"{message}: {problems[0].reason}", "complete the corpus")
    write_manifest(out, clips)
    write_problems(problems_of(out), problems)
    moved = sum(a.split != b.split for a, b in zip(listed, kept, strict=True))
    return PrepareReport(out, tuple(clips), tuple(problems), moved, rebuilt)


def problems_of(manifest: Path) -> Path:
    """Where the clips that a manifest leaves out are listed."""
    return manifest.with_suffix(PROBLEMS)


def write_problems(path: Path, problems: Sequence[Problem]) -> None:
    """One object a line: why a clip is left out, and its row; no file if none is."""
    if not problems:
        path.unlink(missing_ok=True)
        return
    write_jsonl(
        path,
        [
            {"problem": row.kind, "reason": row.reason, **row_of(row.clip, path.parent)}
            for row in problems
        ],
    )
