"""Shards: every row once, alike in duration, the same for every worker."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepcli.batch.shards import FILE_SECONDS, Shard, deal, parse_shard
from sepcli.errors import UsageError


@given(
    st.lists(st.floats(0, 1e5, allow_nan=False), max_size=60), st.integers(min_value=1, max_value=9)
)
def test_every_row_is_in_one_shard(seconds: list[float], count: int) -> None:
    shards = deal(seconds, count)
    assert len(shards) == count
    assert Counter(row for shard in shards for row in shard) == Counter(range(len(seconds)))
    assert all(list(shard) == sorted(shard) for shard in shards)
    assert shards == deal(tuple(seconds), count)


@given(
    st.lists(st.floats(0.1, 1e4), min_size=1, max_size=60), st.integers(min_value=1, max_value=9)
)
def test_no_shard_is_much_heavier_than_it_must_be(seconds: list[float], count: int) -> None:
    weights = np.array(seconds) + FILE_SECONDS
    heaviest = max(weights[list(shard)].sum() for shard in deal(seconds, count))
    least = max(weights.max(), weights.sum() / count)
    assert heaviest <= least + weights.max() * (1 - 1 / count) + 1e-6


def test_the_longest_are_dealt_first() -> None:
    # 9 | 8; 7 to the second, 6 to the first, 5 to either: 15 and 15, and 5 more.
    assert [list(shard) for shard in deal([5, 6, 7, 8, 9], 2)] == [[0, 1, 4], [2, 3]]


def test_recordings_of_unknown_length_are_shared_out() -> None:
    assert [len(shard) for shard in deal([0.0] * 12, 4)] == [3, 3, 3, 3]


@pytest.mark.parametrize(
    ("text", "environ", "shard"),
    [
        ("3/8", {}, Shard(3, 8)),
        ("0/1", {"SLURM_PROCID": "5"}, Shard(0, 1)),
        ("auto", {"SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_TASK_COUNT": "4"}, Shard(2, 4)),
        (
            "auto",
            {
                "SLURM_ARRAY_TASK_ID": "11",
                "SLURM_ARRAY_TASK_MIN": "10",
                "SLURM_ARRAY_TASK_COUNT": "4",
                "SLURM_PROCID": "0",
                "SLURM_NTASKS": "1",
            },
            Shard(1, 4),
        ),
        ("auto", {"SLURM_PROCID": "7", "SLURM_NTASKS": "8"}, Shard(7, 8)),
        ("auto", {"RANK": "1", "WORLD_SIZE": "2", "SLURM_PROCID": "0"}, Shard(1, 2)),
        (
            "auto",
            {"AWS_BATCH_JOB_ARRAY_INDEX": "9", "AWS_BATCH_JOB_ARRAY_SIZE": "10"},
            Shard(9, 10),
        ),
        ("/6", {"JOB_COMPLETION_INDEX": "5"}, Shard(5, 6)),
        ("/100", {"SLURM_ARRAY_TASK_ID": "12", "SLURM_ARRAY_TASK_COUNT": "50"}, Shard(12, 100)),
    ],
)
def test_what_names_a_shard(text: str, environ: dict[str, str], shard: Shard) -> None:
    assert parse_shard(text, environ) == shard


@pytest.mark.parametrize(
    ("text", "environ", "message"),
    [
        ("8/8", {}, "no shard 8 of 8"),
        ("0/0", {}, "no shard 0 of 0"),
        ("-1/8", {}, "not a shard: -1/8"),
        ("3", {}, "not a shard: 3"),
        ("a/b", {}, "not a shard"),
        ("auto", {}, "no scheduler numbers this task"),
        ("/8", {}, "no scheduler numbers this task"),
        ("/0", {"RANK": "0"}, "no shard 0 of 0"),
        ("/2", {"RANK": "2", "WORLD_SIZE": "8"}, "no shard 2 of 2"),
        ("auto", {"JOB_COMPLETION_INDEX": "1"}, "nothing says how many shards"),
        ("auto", {"RANK": "one", "WORLD_SIZE": "2"}, "RANK is no whole number: 'one'"),
    ],
)
def test_what_names_none(text: str, environ: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_shard(text, environ)


def test_a_shard_is_written_as_it_is_read() -> None:
    assert parse_shard(str(Shard(3, 8)), {}) == Shard(3, 8)
