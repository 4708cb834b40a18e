"""Clips that cannot be trained on: missing, broken, or silent. All of them are found at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

from sepcli.errors import ItemError, UsageError
from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.sounds import SilentClip, decode

SHOWN = 5  # clips in an error


@dataclass(frozen=True)
class Problem:
    """A clip that cannot be trained on.

    Attributes:
        clip: which.
        kind: what is the matter.
        reason: in words, with the path.
    """

    clip: Clip
    kind: Literal["missing", "broken", "silent"]
    reason: str


def examined(clips: Sequence[Clip], threads: int) -> Iterator[Clip | Problem]:
    """Decode all clips; in their order, those that can be heard with their duration."""
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(_heard, clips)


def usable(clips: Sequence[Clip], threads: int) -> list[Clip]:
    """The clips with their durations.

    Those whose duration is known have been decoded once: their files only have to be there.

    Raises:
        UsageError: if clips cannot be heard: how many, and the first of them.
    """
    unopened = [clip for clip in clips if clip.duration is None]
    found: dict[Clip, Clip | Problem] = dict(
        zip(unopened, examined(unopened, threads), strict=True)
    )
    found |= {clip: missing(clip) for clip in clips if not clip.path.is_file()}
    rows = [found.get(clip, clip) for clip in clips]
    if problems := [row for row in rows if isinstance(row, Problem)]:
        shown = "; ".join(row.reason for row in problems[:SHOWN])
        message = f"{len(problems)} of {len(clips)} clips cannot be used ({counted(problems)})"
        remedy = "`sepcli data prepare` writes a manifest without them"
        raise UsageError(f"{message}: {shown}", remedy)
    return [row for row in rows if isinstance(row, Clip)]


def counted(problems: Sequence[Problem]) -> str:
    """How many there are of each kind, in words."""
    counts = Counter(problem.kind for problem in problems)
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))


def missing(clip: Clip) -> Problem:
    """The problem of a clip without a file."""
    return Problem(clip, "missing", f"no such file: {clip.path}")


def _heard(clip: Clip) -> Clip | Problem:
    if not clip.path.is_file():
        return missing(clip)
    try:
        wave, rate = decode(clip)
    except SilentClip as error:
        return Problem(clip, "silent", str(error))
    except ItemError as error:
        return Problem(clip, "broken", str(error))
    return replace(clip, duration=len(wave) / rate)
