"""Plans over a few recordings and a model that multiplies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sepcli.batch.plan_file import Plan, new_plan, read_plan
from sepcli.batch.plan_row import Row
from sepcli.batch.planning import Planning
from sepcli.separation.options import SeparateOptions
from sepcli.separation.queries import text_query

Planner = Callable[..., Plan]


@pytest.fixture
def planner(linear: Callable[..., Path]) -> Planner:
    """Makes a plan of inputs and options, and opens it."""

    def make(
        *inputs: str,
        queries: tuple[str, ...] = ("a gain of 0.5",),
        to: str = "plan.jsonl",
        **options: object,
    ) -> Plan:
        given: dict[str, object] = {"model": str(linear()), **options}
        planning = Planning(
            SeparateOptions(inputs, tuple(map(text_query, queries)), **given)  # type: ignore[arg-type]
        )
        with new_plan(Path(to), planning.header) as writer:
            for item in planning.items():
                if isinstance(item, Row):
                    writer.add(item)
        return read_plan(Path(to))

    return make


@pytest.fixture
def field(recording: Callable[..., Path]) -> list[str]:
    """Names of three recordings of 1, 2 and 3 seconds."""
    lengths = {"a.wav": 1.0, "b.wav": 2.0, "c.wav": 3.0}
    return [str(recording(name, seconds=seconds)) for name, seconds in lengths.items()]
