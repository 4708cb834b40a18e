"""How much memory is said to be held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sepcli.batch.pipeline.room import held_bytes
from sepcli.batch.plan_file import Plan
from sepcli.registry.load import LoadedModel, load
from sepcli.registry.store import Registry


@pytest.fixture
def plan(planner: Callable[..., Plan], recording: Callable[..., Path]) -> Plan:
    return planner(str(recording("a.wav", seconds=1.0, rate=8000, channels=2)))


def loaded(plan: Plan) -> LoadedModel:
    return load(Registry().find(plan.options.model))


def test_a_short_recording_holds_itself_and_its_stems(plan: Plan) -> None:
    job = plan.row(0).job
    one_query = 8000 * 2 * 4 * (1 + 2 * 2)  # itself; its stem and the rest, twice
    assert held_bytes(job, loaded(plan), plan.options, batch=1) == one_query
    denied = replace(plan.options, negatives=("a gain of 1",))
    assert held_bytes(job, loaded(plan), denied, batch=1) == 8000 * 2 * 4 * (1 + 2 * 3)


@pytest.mark.parametrize(("batch", "seconds"), [(1, 4 + 3 * 2), (8, 4 + 10 * 2)])
@pytest.mark.parametrize("samples", [0, 8000 * 3600, 8000 * 36_000])
def test_a_long_one_holds_no_more_than_streams(
    plan: Plan, batch: int, seconds: int, samples: int
) -> None:
    job = plan.row(0).job
    long = replace(job, info=replace(job.info, samples=samples))
    held = held_bytes(long, loaded(plan), plan.options, batch)
    assert held == seconds * 8000 * 2 * 4 * 5


def test_a_window_that_is_asked_for_counts(plan: Plan) -> None:
    job = plan.row(0).job
    long = replace(job, info=replace(job.info, samples=0))
    held = held_bytes(long, loaded(plan), replace(plan.options, window=6.0), 1)
    assert held == (4 + 3 * 6) * 8000 * 2 * 4 * 5
