"""Which reference belongs to which stem of a plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.batch.plan_file import Plan, new_plan, read_plan
from sepcli.batch.plan_row import Row
from sepcli.batch.planning import Planning
from sepcli.batch.worker import Policy, run_plan
from sepcli.errors import ItemError, UsageError
from sepcli.evaluation.planned import PlanSystem, planned_items
from sepcli.separation.options import SeparateOptions
from sepcli.separation.queries import text_query

Recording = Callable[..., Path]
Make = Callable[..., Plan]

TRUTH = Path("truth")
HALF = "a-gain-of-0-5"


@pytest.fixture
def separated(linear: Callable[..., Path]) -> Make:
    """Makes a plan and separates it."""

    def make(*inputs: str, queries: tuple[str, ...] = ("a gain of 0.5",), **more: object) -> Plan:
        given: dict[str, object] = {"model": str(linear()), **more}
        asked = tuple(map(text_query, queries))
        planning = Planning(SeparateOptions(inputs, asked, **given))  # type: ignore[arg-type]
        with new_plan(Path("plan.jsonl"), planning.header) as writer:
            for item in planning.items():
                assert isinstance(item, Row)
                writer.add(item)
        plan = read_plan(Path("plan.jsonl"))
        list(run_plan(plan, None, Policy()))
        return plan

    return make


def reference(*names: str) -> None:
    for name in names:
        path = TRUTH / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.full((8000, 2), 0.1, np.float32), 8000, "FLOAT")


def pairs(plan: Plan) -> dict[str, str]:
    """Stems and the references that they are compared with."""
    system = PlanSystem(plan)
    return {
        str(system.find(item.name, stem)): str(tracks[0].path.relative_to(TRUTH))
        for item in planned_items(plan, TRUTH)
        for stem, tracks in item.references.items()
    }


@pytest.mark.parametrize("layout", ["{}/{}.wav", "{}.{}.wav"])
def test_stems_find_their_references(recording: Recording, separated: Make, layout: str) -> None:
    for name in ("a.wav", "b.wav"):
        recording(name, seconds=1)
    quarter = "a-gain-of-0-25"
    plan = separated("a.wav", "b.wav", queries=("a gain of 0.5", "a gain of 0.25"), residual=True)
    names = {(i, q): layout.format(i, q) for i in "ab" for q in (HALF, quarter)}
    reference(*names.values(), "a/unrelated.wav")
    assert pairs(plan) == {f"separated/{i}.{q}.wav": names[i, q] for i, q in names}


def test_items_say_what_was_asked(recording: Recording, separated: Make) -> None:
    recording("a.wav", seconds=1)
    plan = separated("a.wav")
    reference(f"a/{HALF}.wav")
    (item,) = planned_items(plan, TRUTH)
    assert item.queries == {HALF: "a gain of 0.5"}
    assert item.mixture is not None
    assert item.mixture.path == Path("a.wav")
    assert item.read().mixture.shape == (2, 8000)


def test_folders_of_stems_are_folders_of_references(recording: Recording, separated: Make) -> None:
    for folder in ("one", "two"):
        recording(f"field/{folder}/a.wav", seconds=1)
    plan = separated("field", recursive=True)
    reference(f"one/a/{HALF}.wav", f"two/a.{HALF}.wav")
    assert pairs(plan) == {
        f"separated/one/a.{HALF}.wav": f"one/a/{HALF}.wav",
        f"separated/two/a.{HALF}.wav": f"two/a.{HALF}.wav",
    }


def test_parts_of_a_recording_are_scored_as_parts(recording: Recording, separated: Make) -> None:
    recording("a.wav", seconds=4)
    Path("list.csv").write_text("path,query,start,end\na.wav,a gain of 0.5,1,2\n")
    plan = separated("list.csv", queries=(), template="{input}.{start}.{query}.{ext}")
    reference(f"a.1/{HALF}.wav")
    (item,) = planned_items(plan, TRUTH)
    heard = item.read().mixture
    np.testing.assert_allclose(heard.T, soundfile.read("a.wav")[0][8000:16000], atol=1e-7)


def test_names_of_other_templates(recording: Recording, separated: Make) -> None:
    recording("a.wav", seconds=1)
    plan = separated("a.wav", template="{query}/{input}.{ext}")
    reference(f"{HALF}/a/{HALF}.wav")
    assert pairs(plan) == {f"separated/{HALF}/a.wav": f"{HALF}/a/{HALF}.wav"}


def test_rows_of_one_name_are_refused(recording: Recording, separated: Make) -> None:
    recording("one/a.wav", seconds=1)
    recording("two/a.flac", seconds=1, subtype="PCM_16")
    plan = separated("one/a.wav", "two/a.flac")
    with pytest.raises(UsageError, match=r"two rows of plan\.jsonl are called a"):
        planned_items(plan, TRUTH.parent)


def test_a_plan_of_mixes_cannot_be_scored(recording: Recording, separated: Make) -> None:
    recording("a.wav", seconds=1)
    plan = separated("a.wav", gains=(1.0, 0.5))
    with pytest.raises(UsageError, match="plans no stem that can be scored"):
        planned_items(plan, TRUTH.parent)


def test_two_files_for_one_reference_are_refused(recording: Recording, separated: Make) -> None:
    recording("a.wav", seconds=1)
    plan = separated("a.wav")
    reference(f"a/{HALF}.wav", f"a.{HALF}.wav")
    with pytest.raises(
        UsageError, match="several files may be the reference of a/a-gain"
    ) as caught:
        planned_items(plan, TRUTH)
    assert f"truth/a.{HALF}.wav" in str(caught.value)


def test_a_stem_that_goes_meanwhile(recording: Recording, separated: Make) -> None:
    recording("a.wav", seconds=1)
    plan = separated("a.wav")
    system = PlanSystem(plan)
    Path(f"separated/a.{HALF}.wav").unlink()
    with pytest.raises(ItemError, match="has gone"):
        system.find("a", HALF)


def test_a_part_that_holds_nothing(recording: Recording, separated: Make) -> None:
    recording("a.wav", seconds=1)
    plan = separated("a.wav")
    reference(f"a/{HALF}.wav")
    (item,) = planned_items(plan, TRUTH)
    assert item.job is not None
    with pytest.raises(ItemError, match=r"no samples in a\.wav"):
        replace(item, job=replace(item.job, duration=0.0)).read()
