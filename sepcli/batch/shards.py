"""Parts of a plan that workers do without talking to each other.

Every worker deals the rows by itself, and all come to the same shards.
"""

from __future__ import annotations

import heapq
import re
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sepcli.errors import UsageError

FILE_SECONDS = 0.5  # of audio that opening and closing a file costs as much as
SHARD = re.compile(r"(\d*)/(\d+)")
HOW = "give I/N, such as 3/8: I counts from 0 to N-1; or /N or auto where a scheduler counts"

# Variables of number, first number, and count; the first pair that is there decides.
SCHEDULERS = (
    ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT"),
    ("AWS_BATCH_JOB_ARRAY_INDEX", None, "AWS_BATCH_JOB_ARRAY_SIZE"),
    ("JOB_COMPLETION_INDEX", None, None),
    ("RANK", None, "WORLD_SIZE"),
    ("SLURM_PROCID", None, "SLURM_NTASKS"),
)


@dataclass(frozen=True)
class Shard:
    """One part of several.

    Attributes:
        index: which one, from 0 to count - 1.
        count: of all parts.
    """

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def parse_shard(text: str, environ: Mapping[str, str]) -> Shard:
    """What --shard says: I/N; or /N or auto, and a scheduler's variables say the rest.

    Raises:
        UsageError: if it is none of these, there is no such part, or a variable is missing.
    """
    if text == "auto":
        return shard_from_environment(environ)
    found = SHARD.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"not a shard: {text}", HOW)
    count = int(found[2])
    if not found[1]:
        return shard_from_environment(environ, count)
    return checked(int(found[1]), count)


def shard_from_environment(environ: Mapping[str, str], count: int | None = None) -> Shard:
    """The shard of a task of Slurm, AWS Batch, Kubernetes or torchrun.

    Args:
        environ: the process's variables.
        count: of all shards; None to take it from the variables.

    Raises:
        UsageError: if no scheduler's variables are there, or not the count.
    """
    for index_name, first_name, count_name in SCHEDULERS:
        if index_name not in environ:
            continue
        first = variable(environ, first_name) if first_name in environ else 0
        index = variable(environ, index_name) - first
        if count is None and count_name not in environ:
            message = f"{index_name} is set, but nothing says how many shards there are"
            raise UsageError(message, "give their number: --shard /N")
        return checked(index, variable(environ, count_name) if count is None else count)
    names = ", ".join(names[0] for names in SCHEDULERS)
    raise UsageError(f"no scheduler numbers this task: none of {names} is set", HOW)


def variable(environ: Mapping[str, str], name: str | None) -> int:
    """A variable's whole number.

    Raises:
        UsageError: if it is none.
    """
    text = environ[name or ""]
    if not text.isdecimal():
        raise UsageError(f"{name} is no whole number: {text!r}", "give --shard I/N")
    return int(text)


def checked(index: int, count: int) -> Shard:
    """A shard that exists.

    Raises:
        UsageError: if it does not.
    """
    if not 0 <= index < count:
        raise UsageError(f"no shard {index} of {count}", HOW)
    return Shard(index, count)


def deal(seconds: Sequence[float], count: int) -> list[array[int]]:
    """Deal rows to shards whose durations are alike: the longest first, to the lightest shard.

    The heaviest shard is at most 4/3 - 1/(3 count) times as heavy as it must be (R. L. Graham,
    "Bounds on multiprocessing timing anomalies", 1969, theorem 2).

    Args:
        seconds: durations of the rows.
        count: of shards.

    Returns:
        row numbers of every shard, ascending; each row is in one shard.
    """
    weights = np.asarray(seconds, np.float64) + FILE_SECONDS
    heap = [(0.0, shard) for shard in range(count)]
    owner = np.empty(len(weights), np.int64)
    for row in np.argsort(-weights, kind="stable").tolist():
        load, shard = heap[0]
        owner[row] = shard
        heapq.heapreplace(heap, (load + float(weights[row]), shard))
    by_shard = np.argsort(owner, kind="stable")
    ends = np.searchsorted(owner[by_shard], np.arange(count), side="right")
    parts = np.split(by_shard, ends[:-1])
    return [array("q", part.astype(np.int64).tobytes()) for part in parts]
