"""No test item is ever trained on, under whichever name it comes.

Reserved are the recordings of ESC-10's fold 4, the packages of the package-disjoint test, the files
of the demo by their content, and all that a corpus itself calls a test. The manifests that say so
ship with sepcli.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path, PurePosixPath

from sepcli import evaluation
from sepcli.errors import UsageError
from sepcli.evaluation.datasets.tables import read_table
from sepcli.hashing import sha256_of
from sepcli.training.corpora.clip import Clip

FOLDER = Path(evaluation.__file__).parent
SHOWN = 5  # items in an error
ESC_NAME = re.compile(r"(?:[1-5]-)?(\d+)(?:-[A-Z])?")  # fold, number at Freesound, take
NAMED_BY_USERS = ("class-folders", "stems")  # corpora whose origins are names of files


@dataclass(frozen=True)
class Reserved:
    """What no training may hear.

    Attributes:
        recordings: numbers at Freesound.
        packages: names.
        files: folder and name, without suffix, of the packages' clips.
        contents: size in bytes -> SHA-256 of the files of that size.
    """

    recordings: frozenset[str]
    packages: frozenset[str]
    files: frozenset[str]
    contents: dict[int, set[str]]

    def reason(self, clip: Clip) -> str:
        """Why a clip is reserved; "" if it is not."""
        name = ESC_NAME.fullmatch(clip.path.stem)
        if clip.origin in self.recordings or (name and name[1] in self.recordings):
            return "a recording of ESC-10's fold 4"
        named_by_users = clip.corpus in NAMED_BY_USERS
        if clip.origin in self.packages and not named_by_users:
            return f"of {clip.origin}, a package of the package-disjoint test"
        if f"{clip.path.parent.name}/{clip.path.stem}" in self.files:
            return "a clip of the package-disjoint test"
        return "a file of the demo" if self._is_of_the_demo(clip.path) else ""

    def _is_of_the_demo(self, path: Path) -> bool:
        """By the content, which is read only if the size fits."""
        if not path.is_file():
            return False
        alike = self.contents.get(path.stat().st_size)
        return alike is not None and sha256_of(path) in alike


@cache
def reserved() -> Reserved:
    """What the manifests that ship with sepcli hold."""
    files = {
        PurePosixPath(name)
        for path in sorted((FOLDER / "manifests").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
        for name in json.loads(line)["files"]
    }
    packaged = [file for file in files if file.parent.name]  # those of ESC-10 have no folder
    demo = FOLDER / "demo"
    contents: dict[int, set[str]] = {}
    for path in demo.glob("*.ogg"):
        contents.setdefault(path.stat().st_size, set()).add(sha256_of(path))
    return Reserved(
        recordings=frozenset(
            row["freesound_id"] for row in read_table(demo / "manifest.csv", ("freesound_id",))
        ),
        packages=frozenset(file.name.partition("__")[0] for file in packaged),
        files=frozenset(file.with_suffix("").as_posix() for file in packaged),
        contents=contents,
    )


def leaks(clips: Sequence[Clip]) -> dict[Clip, str]:
    """Clips outside the test split that are test items -> why.

    Args:
        clips: of all splits and corpora of a training: what one of them calls a test, no other
            may train on. Paths are compared, and origins within a corpus.
    """
    tests = [clip for clip in clips if clip.split == "test"]
    paths = {clip.path.resolve() for clip in tests}
    origins = {(clip.corpus, clip.origin) for clip in tests}
    found: dict[Clip, str] = {}
    for clip in clips:
        if clip.split == "test":
            continue
        if reason := reserved().reason(clip):
            found[clip] = reason
        elif clip.path.resolve() in paths:
            found[clip] = "in a test split, too"
        elif (clip.corpus, clip.origin) in origins:
            found[clip] = f"cut from {clip.origin}, as is a clip of the test split"
    return found


def refuse_leaks(clips: Sequence[Clip]) -> None:
    """Raise UsageError with the first test items among the clips to train on, if there are any."""
    if found := leaks(clips):
        shown = "; ".join(f"{clip.path} is {why}" for clip, why in list(found.items())[:SHOWN])
        count = f"{len(found)} of the clips to train on belong to a test"
        remedy = "leave them out; `sepcli data prepare` gives such clips the split `test`"
        raise UsageError(f"{count}: {shown}", remedy)


def held_back(clips: Sequence[Clip]) -> list[Clip]:
    """The clips, those that no training may hear with the split `test`."""
    found = leaks(clips)
    return [replace(clip, split="test") if clip in found else clip for clip in clips]
