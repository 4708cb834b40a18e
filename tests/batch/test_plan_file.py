"""Plans on disk: what comes back, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sepcli.batch import plan_parquet
from sepcli.batch.plan_file import Plan, new_plan, read_plan
from sepcli.batch.plan_header import Header, header_of, header_record
from sepcli.batch.plan_row import Row, from_record, to_record
from sepcli.batch.planning import make_plan
from sepcli.errors import OutputError, UsageError
from sepcli.query.sight import Picture, Sight
from sepcli.separation.inputs import Source
from sepcli.separation.options import SeparateOptions
from sepcli.separation.plan import Output
from sepcli.separation.queries import Query, text_query

Planner = Callable[..., Plan]

FORMATS = ["plan.jsonl", "plan.parquet"]

# Every field that a query may have.
RICH = Query(
    "no dog",
    "dog",
    examples=(Path("barks/one.wav"), Path("b.safetensors")),
    span=(1.5, 2.25),
    inverted=True,
    pictures=(Picture(Path("dog.jpg")), Picture(Path("talk.mp4"), 12.5)),
    sight=Sight("Bark", 0.75, ("Dog", "Howl")),
)


def rich_row(row: Row) -> Row:
    """A row that uses every field of a job."""
    job = row.job
    mix = Output(Path("separated/mix.wav"), "mix", "mix", None, True, (0.5, 1.0))
    plain = Output(Path("separated/q.wav"), "q", "query", 0)
    info = replace(job.info, stream=2, decoder="pyav")
    return replace(
        row,
        job=replace(
            job,
            info=info,
            queries=(RICH, text_query("rain")),
            outputs=(plain, mix),
            start=0.25,
            duration=0.5,
            stems=(1, 0),
        ),
    )


@pytest.mark.parametrize("name", FORMATS)
def test_rows_come_back(planner: Planner, field: list[str], name: str) -> None:
    plan = planner(*field, to=name, residual=True)
    made = list(make_plan(replace(plan.options, overwrite=True)))
    assert [plan.row(i) for i in range(len(plan))] == made
    assert list(plan.seconds) == [1.0, 2.0, 3.0]
    assert [plan.row(i).size for i in range(3)] == [Path(path).stat().st_size for path in field]


@pytest.mark.parametrize("name", FORMATS)
def test_every_field_comes_back(planner: Planner, field: list[str], name: str) -> None:
    first = planner(field[0], to="first.jsonl")
    rows = [rich_row(first.row(0)), replace(rich_row(first.row(0)), id=1)]
    with new_plan(Path(name), first.header) as writer:
        for row in rows:
            writer.add(row)
    again = read_plan(Path(name))
    assert [again.row(0), again.row(1)] == rows
    assert list(again.seconds) == [0.5, 0.5]


def test_options_come_back() -> None:
    options = SeparateOptions(
        ("a.wav", "field"),
        (RICH,),
        ("wind",),
        registry=Path("r.yaml"),
        gains=(0.5, 1.0),
        stems=("drums",),
        duration=3.5,
        window=8.0,
        precision="bf16",
        batch_size=3,
    )
    header = Header(options, "everyday", "0" * 64)
    stored = json.loads(json.dumps(header_record(header)))
    assert header_of(stored, "plan") == header


def test_a_name_that_is_no_text_comes_back(planner: Planner, field: list[str]) -> None:
    plan = planner(*field)
    row = plan.row(0)
    odd = replace(row.job.info, path=Path("caf\udce9.wav"))  # Latin-1 on a disk of UTF-8 names
    row = replace(row, job=replace(row.job, info=odd, source=Source(odd.path)))
    with new_plan(Path("odd.jsonl"), plan.header) as writer:
        writer.add(row)
    assert read_plan(Path("odd.jsonl")).row(0) == row
    with (
        pytest.raises(UsageError, match="Parquet cannot hold the file name"),
        new_plan(Path("odd.parquet"), plan.header) as writer,
    ):
        writer.add(row)
    assert not Path("odd.parquet").exists()


def test_a_plan_is_told_from_others(planner: Planner, field: list[str]) -> None:
    one, same = planner(*field), planner(*field, to="same.jsonl")
    assert one.digest == same.digest
    assert planner(*field, to="other.jsonl", residual=True).digest != one.digest
    assert planner(*field[:2], to="fewer.jsonl").digest != one.digest


def test_many_groups_of_parquet(
    planner: Planner, field: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_parquet, "GROUP", 2)
    plan = planner(*field, to="plan.parquet")
    order = [2, 0, 1, 2]
    assert [plan.row(i).job.info.path.name for i in order] == ["c.wav", "a.wav", "b.wav", "c.wav"]


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


def cut_at_a_line(lines: list[str]) -> list[str]:
    return lines[:-1]


def cut_in_a_line(lines: list[str]) -> list[str]:
    return [*lines[:2], lines[2][:40]]


def a_row_lost(lines: list[str]) -> list[str]:
    return [lines[0], lines[1], *lines[3:]]


def a_row_changed(lines: list[str]) -> list[str]:
    return [*lines[:2], lines[2].replace('"channels": 2', '"channels": 1'), *lines[3:]]


def the_last_row_lost(lines: list[str]) -> list[str]:
    return [*lines[:-2], lines[-1]]


def two_plans(lines: list[str]) -> list[str]:
    return lines + lines


def no_object(lines: list[str]) -> list[str]:
    return ["[]\n", *lines[1:]]


def another_schema(lines: list[str]) -> list[str]:
    return [lines[0].replace("sepcli-plan-1", "sepcli-plan-9"), *lines[1:]]


def a_manifest(lines: list[str]) -> list[str]:
    return ['{"path": "a.wav", "query": "dog"}\n']


def empty(lines: list[str]) -> list[str]:
    return []


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut_at_a_line, "cut off after line 4"),
        (cut_in_a_line, "line 3: not row 1 of a plan"),
        (a_row_lost, "line 3: not row 1 of a plan"),
        (a_row_changed, "not the rows that were planned"),
        (the_last_row_lost, "not the rows that were planned"),
        (two_plans, "line 5: more follows"),
        (no_object, "line 1: not a line of a plan"),
        (another_schema, "line 1: a plan of schema sepcli-plan-9, made by sepcli"),
        (a_manifest, "line 1: not a plan"),
        (empty, "line 1: not a line of a plan"),
    ],
)
def test_damaged_plans_are_refused(
    planner: Planner,
    field: list[str],
    damage: Callable[[list[str]], list[str]],
    message: str,
) -> None:
    path = planner(*field).path
    path.write_text("".join(damage(lines_of(path))))
    with pytest.raises(UsageError, match=message) as caught:
        read_plan(path)
    assert "sepcli plan" in caught.value.remedy


def test_a_schema_is_told_before_the_rows_are_read(planner: Planner, field: list[str]) -> None:
    path = planner(*field).path
    path.write_text("".join(another_schema(lines_of(path))[:2]) + "something new\n")
    with pytest.raises(UsageError, match="schema sepcli-plan-9"):
        read_plan(path)


def test_damaged_parquet_is_refused(planner: Planner, field: list[str]) -> None:
    path = planner(*field, to="plan.parquet").path
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(UsageError, match=r"plan\.parquet: damaged"):
        read_plan(path)


def test_parquet_of_something_else_is_refused() -> None:
    from sepcli.parquet_file import write_parquet

    write_parquet(Path("other.parquet"), [{"seconds": 1.0}])
    with pytest.raises(UsageError, match=r"other\.parquet: not a plan"):
        read_plan(Path("other.parquet"))


def test_a_plan_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"no such plan: plan\.jsonl"):
        read_plan(Path("plan.jsonl"))


def test_a_plan_that_changes_after_it_was_opened(planner: Planner, field: list[str]) -> None:
    plan = planner(*field)
    lines = lines_of(plan.path)
    plan.path.write_text("".join([lines[0], lines[2], lines[1], *lines[3:]]))
    with pytest.raises(UsageError, match="line"):
        [plan.row(i) for i in range(3)]
    plan.path.unlink()
    with pytest.raises(UsageError, match=r"cannot read plan\.jsonl"):
        plan.row(0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, "colour: Extra inputs"),
        ({"sha256": "../../x"}, "sha256: String should match"),
        ({"outputs": []}, "outputs: "),
        ({"rate": 0}, "rate: "),
        ({"size": -1}, "size: "),
        ({"start": float("nan")}, "start: "),
    ],
)
def test_wrong_fields_are_named(
    planner: Planner, field: list[str], change: dict[str, object], message: str
) -> None:
    record = to_record(planner(*field).row(0))
    with pytest.raises(UsageError, match=rf"plan, line 2: {message}"):
        from_record({**record, **change}, "plan, line 2")


def test_options_of_a_later_version_are_not_forgotten(planner: Planner, field: list[str]) -> None:
    stored = header_record(planner(*field).header)
    stored["options"]["reverb"] = True
    with pytest.raises(UsageError, match="knew an option reverb"):
        header_of(stored, "plan, line 1")
    del stored["options"]["reverb"]
    with pytest.raises(UsageError, match="line 1: fingerprint: "):
        header_of({**stored, "fingerprint": 7}, "plan, line 1")


def test_a_plan_is_written_whole_or_not_at_all(planner: Planner, field: list[str]) -> None:
    header = planner(*field).header
    with pytest.raises(RuntimeError), new_plan(Path("half.jsonl"), header):
        raise RuntimeError
    Path("closed").write_text("no folder")
    with (
        pytest.raises(OutputError, match="cannot write closed"),
        new_plan(Path("closed/plan.jsonl"), header),
    ):
        raise AssertionError
    assert sorted(p.name for p in Path().iterdir() if "half" in p.name) == []


def test_the_source_is_the_recording(planner: Planner, field: list[str]) -> None:
    assert planner(*field).row(1).job.source == Source(Path("b.wav"))
