"""A plan separated, stopped, resumed, changed: what is done again, and what is not."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import save_file

from sepcli.batch import worker as module
from sepcli.batch.journal import FOLDER, Failure, Journal, merge
from sepcli.batch.lock import Identity, batch_lock
from sepcli.batch.plan_file import Plan
from sepcli.batch.shards import Shard, deal
from sepcli.batch.worker import PlanWorker, Policy, preview, run_plan, work
from sepcli.errors import ModelError, OutputError
from sepcli.separation import run as engine
from sepcli.separation.events import (
    Done,
    Event,
    Failed,
    Finished,
    Planned,
    Quarantined,
    Skipped,
    Started,
)

Planner = Callable[..., Plan]
Linear = Callable[..., Path]

OUT = Path("separated")


def run(plan: Plan, shard: Shard | None = None, **policy: Any) -> list[Event]:
    return list(run_plan(plan, shard, Policy(**policy)))


def fates(events: Iterable[Event]) -> dict[str, str]:
    """What became of every recording, by name."""
    kinds = (Finished, Skipped, Failed)
    return {Path(e.path).name: type(e).__name__ for e in events if isinstance(e, kinds)}


def done(events: list[Event]) -> Done:
    assert isinstance(events[-1], Done)
    return events[-1]


def gain_of(name: str, gain: str = "0-5") -> float:
    stem, mix = (
        soundfile.read(p)[0] for p in (OUT / f"{name}.a-gain-of-{gain}.wav", f"{name}.wav")
    )
    return float(np.median(stem / mix))


@pytest.fixture
def separations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the recordings that went through the network."""
    names: list[str] = []
    real = engine.separate

    def noted(job: Any, *rest: Any) -> Any:
        names.append(job.info.path.name)
        return real(job, *rest)

    monkeypatch.setattr(engine, "separate", noted)
    return names


def test_a_plan_is_separated_once(
    planner: Planner, field: list[str], separations: list[str], linear: Linear
) -> None:
    plan = planner(*field)
    events = run(plan)
    assert events[0] == Planned(3, 6.0, ())
    assert [e.index for e in events if isinstance(e, Started)] == [0, 1, 2]
    assert fates(events) == dict.fromkeys(field, "Finished")
    assert replace(done(events), took=0) == Done(3, 0, 0, 0, 0)
    assert gain_of("b") == pytest.approx(0.5)
    loaded = len(linear.networks)  # type: ignore[attr-defined]
    again = run(plan)
    assert fates(again) == dict.fromkeys(field, "Skipped")
    assert replace(done(again), took=0) == Done(0, 3, 0, 0, 0)
    assert separations == field
    assert len(linear.networks) == loaded  # type: ignore[attr-defined] # none for nothing


def test_the_model_is_loaded_once(planner: Planner, field: list[str], linear: Linear) -> None:
    run(planner(*field))
    assert len(linear.networks) == 1  # type: ignore[attr-defined]


def test_what_is_done_is_known_without_reading_the_recordings(
    planner: Planner, field: list[str]
) -> None:
    plan = planner(*field)
    run(plan)
    for path in field:
        Path(path).unlink()
    assert fates(run(plan)) == dict.fromkeys(field, "Skipped")


def test_a_stem_that_was_lost_or_cut_is_made_again(
    planner: Planner, field: list[str], separations: list[str]
) -> None:
    plan = planner(*field)
    run(plan)
    (OUT / "a.a-gain-of-0-5.wav").unlink()
    cut = OUT / "c.a-gain-of-0-5.wav"
    cut.write_bytes(cut.read_bytes()[:-100])
    cut.with_name(cut.name + ".sepcli.json").unlink(missing_ok=True)
    separations.clear()
    run(replace_overwrite(plan))
    assert separations == ["a.wav", "c.wav"]
    assert gain_of("c") == pytest.approx(0.5)


def replace_overwrite(plan: Plan) -> Plan:
    """The same plan, told to replace whatever is in the way."""
    plan.header = replace(plan.header, options=replace(plan.options, overwrite=True))
    return plan


def test_a_kill_between_stem_and_journal_loses_nothing(
    planner: Planner, field: list[str], separations: list[str]
) -> None:
    plan = planner(*field)
    run(plan)
    shutil.rmtree(OUT / FOLDER)
    separations.clear()
    assert fates(run(plan)) == dict.fromkeys(field, "Skipped")
    assert separations == []
    assert len(merge(OUT)) == 3


def test_it_goes_on_where_it_was_stopped(
    planner: Planner, field: list[str], separations: list[str]
) -> None:
    plan = planner(*field)
    for event in (events := run_plan(plan, None, Policy())):
        if isinstance(event, Started) and event.index == 1:
            break
    events.close()
    assert sorted(p.name for p in OUT.iterdir() if not p.name.startswith(".")) == [
        "a.a-gain-of-0-5.wav"
    ]
    assert fates(run(plan)) == {"a.wav": "Skipped", "b.wav": "Finished", "c.wav": "Finished"}
    assert separations == ["a.wav", "b.wav", "c.wav"]


def test_a_stop_within_a_recording_leaves_nothing_half_written(
    planner: Planner, recording: Callable[..., Path]
) -> None:
    plan = planner(str(recording("long.wav", seconds=20)))
    for event in (events := run_plan(plan, None, Policy())):
        if type(event).__name__ == "Progress":
            break
    events.close()
    assert [p.name for p in OUT.rglob("*") if p.is_file()] == []


def test_changed_queries_redo_only_what_they_touch(
    planner: Planner, field: list[str], separations: list[str]
) -> None:
    def manifest(gain_of_b: float) -> Plan:
        rows = ["path,query"]
        rows += [f"{name},a gain of {gain_of_b if name == 'b.wav' else 0.5}" for name in field]
        Path("list.csv").write_text("\n".join(rows))
        return planner("list.csv", queries=(), template="{input}.{ext}", skip_existing=True)

    run(manifest(0.5))
    separations.clear()
    assert fates(run(manifest(0.25))) == {
        "a.wav": "Skipped",
        "b.wav": "Finished",
        "c.wav": "Skipped",
    }
    assert separations == ["b.wav"]
    assert np.median(soundfile.read(OUT / "b.wav")[0] / soundfile.read("b.wav")[0]) == 0.25


def test_changed_options_redo_everything(
    planner: Planner, field: list[str], separations: list[str]
) -> None:
    run(planner(*field))
    run(planner(*field, skip_existing=True, window=1.0))
    assert separations == field + field


def test_changed_weights_are_refused_until_the_plan_is_made_anew(
    planner: Planner, field: list[str], separations: list[str], linear: Linear
) -> None:
    plan = planner(*field)
    run(plan)
    save_file(
        {"gains": torch.tensor([1.0, 2.0])}, Path(plan.options.model or "") / "gains.safetensors"
    )
    with pytest.raises(ModelError, match="not the one that the plan was made with") as caught:
        run(plan)
    assert "sepcli plan" in caught.value.remedy
    monkey = Path(plan.options.model or "")
    other = monkey.with_name("other")
    shutil.copytree(monkey, other)
    assert fates(run(planner(*field, skip_existing=True, model=str(other)))) == dict.fromkeys(
        field, "Finished"
    )
    assert separations == field + field


def grown(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


def touched(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (grown, "b.wav has changed since it was planned"),
        (touched, "b.wav has changed since it was planned"),
        (Path.unlink, "cannot read b.wav: No such file"),
    ],
)
def test_a_recording_that_changed_or_went_fails_alone(
    planner: Planner, field: list[str], change: Callable[[Path], None], message: str
) -> None:
    plan = planner(*field)
    kept = Path("b.wav").read_bytes()
    change(Path("b.wav"))
    events = run(plan)
    assert fates(events) == {"a.wav": "Finished", "b.wav": "Failed", "c.wav": "Finished"}
    failed = next(event for event in events if isinstance(event, Failed))
    assert message in failed.error
    assert "plan" in failed.help
    assert done(events).exit_code == 1
    Path("b.wav").write_bytes(kept)
    time.sleep(0.01)
    assert fates(run(plan))["b.wav"] == "Quarantined"
    assert fates(run(plan, retry_failed=True))["b.wav"] == "Finished"
    assert fates(run(plan)) == dict.fromkeys(field, "Skipped")


def test_what_failed_is_left_out_and_still_said(planner: Planner, field: list[str]) -> None:
    plan = planner(*field)
    Path("a.wav").unlink()
    run(plan)
    events = run(plan)
    left = next(event for event in events if isinstance(event, Quarantined))
    assert left.error == "failed before: cannot read a.wav: No such file or directory"
    assert left.kind == "ItemError"
    assert "--retry-failed" in left.help
    assert replace(done(events), took=0) == Done(0, 2, 1, 0, 1)


def broken(plan: Plan, names: Iterable[str]) -> None:
    for name in names:
        Path(name).write_bytes(b"changed")


def test_too_many_failures_stop_it(planner: Planner, field: list[str]) -> None:
    plan = planner("c.wav", "a.wav", "b.wav")
    broken(plan, ["a.wav", "b.wav"])
    assert len(fates(run(plan, max_failures=2))) == 3
    shutil.rmtree(OUT / FOLDER)
    events = run(plan, max_failures=0)
    assert fates(events) == {"c.wav": "Skipped", "a.wav": "Failed", "plan.jsonl": "Failed"}
    stop = events[-2]
    assert isinstance(stop, Failed)
    assert "stopped after 1 failures" in stop.error
    assert "--retry-failed" in stop.help
    assert done(events).exit_code == 1


def test_old_failures_do_not_count(planner: Planner, field: list[str]) -> None:
    plan = planner(*field)
    broken(plan, ["a.wav", "b.wav"])
    run(plan)
    assert fates(run(plan, max_failures=0)) == {
        "a.wav": "Quarantined",
        "b.wav": "Quarantined",
        "c.wav": "Skipped",
    }


def test_two_shards_at_once(planner: Planner, field: list[str], separations: list[str]) -> None:
    plan = planner(*field)
    first = run_plan(plan, Shard(0, 2), Policy())
    begun = [next(first), next(first)]
    assert isinstance(begun[-1], Started)  # and it is still at work
    other = run(plan, Shard(1, 2))
    assert len(list((OUT / ".sepcli-lock").iterdir())) == 1
    both = fates(begun + list(first)) | fates(other)
    assert both == dict.fromkeys(field, "Finished")
    assert sorted(separations) == field
    rows = deal(plan.seconds, 2)
    assert [Path(e.path).name for e in other if isinstance(e, Started)] == [
        field[row] for row in rows[1]
    ]


def test_two_batches_in_one_folder(planner: Planner, field: list[str]) -> None:
    plan, other = planner(*field), planner(*field, to="other.jsonl", residual=True)
    first = run_plan(plan, None, Policy())
    next(first)
    next(first)
    for second in (plan, other):
        with pytest.raises(OutputError, match="is writing to separated") as caught:
            run(second)
        assert caught.value.exit_code == 5
    assert fates(first) == dict.fromkeys(field, "Finished")


def test_a_full_disk_under_the_journal_stops_it(
    planner: Planner, field: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planner(*field)

    def full(self: Journal, key: str, sizes: object) -> None:
        raise OutputError("cannot write journal: No space left on device", "free some space")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "done", full)
        events = run(plan)
    assert fates(events) == {"a.wav": "Failed"}
    assert done(events).exit_code == 5
    assert fates(run(plan)) == {"a.wav": "Skipped", "b.wav": "Finished", "c.wav": "Finished"}


def test_a_full_disk_under_a_stem_is_nobodys_failure(
    planner: Planner, field: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planner(*field)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: os.terminal_size((0, 0)) and Usage())
        events = run(plan)
    assert fates(events) == {"a.wav": "Failed"}
    assert done(events).exit_code == 5
    assert fates(run(plan)) == dict.fromkeys(field, "Finished")


class Usage:
    """A disk with nothing left."""

    free = 0


def test_a_folder_that_cannot_be_made(planner: Planner, field: list[str]) -> None:
    plan = planner(*field)
    OUT.write_text("no folder")
    with pytest.raises(OutputError, match="cannot write to separated") as caught:
        run(plan)
    assert "another -o" in caught.value.remedy


def test_memory_that_runs_out_stops_it_but_not_for_ever(
    planner: Planner, field: list[str], linear: Linear, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planner(*field)
    worker = PlanWorker(plan, Policy())
    worker._batch._runner._network.most = 1  # type: ignore[attr-defined]
    events = list(worker.work(range(3)))
    assert fates(events) == {"a.wav": "Failed"}
    assert done(events).exit_code == 4
    assert fates(run(plan)) == {"a.wav": "Quarantined", "b.wav": "Finished", "c.wav": "Finished"}


def test_an_error_that_nobody_foresaw_is_of_one_recording(
    planner: Planner, field: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, real = planner(*field), engine.separate

    def odd(job: Any, *rest: Any) -> Any:
        if job.info.path.name == "b.wav":
            raise ZeroDivisionError("something\nlong")
        return real(job, *rest)

    monkeypatch.setattr(engine, "separate", odd)
    events = run(plan)
    assert fates(events) == {"a.wav": "Finished", "b.wav": "Failed", "c.wav": "Finished"}
    failed = next(event for event in events if isinstance(event, Failed))
    assert failed.error == "b.wav: unexpected ZeroDivisionError: something"
    key = module.provenance.work_key(plan.row(1).job, plan.header.fingerprint, plan.options)
    assert merge(OUT).failure(key) == Failure("ZeroDivisionError", failed.error)
    assert not list(OUT.glob(".sepcli-partial*"))


def test_errors_in_a_row_are_no_fault_of_the_recordings(
    planner: Planner, field: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(engine, "separate", odd)
    with pytest.raises(ZeroDivisionError):
        run(planner(*field))
    assert len(merge(OUT)) == 2


def test_files_of_others_are_not_replaced(planner: Planner, field: list[str]) -> None:
    plan = planner(*field)
    stranger = OUT / "b.a-gain-of-0-5.wav"
    OUT.mkdir()
    shutil.copy("b.wav", stranger)
    events = run(plan)
    assert fates(events)["b.wav"] == "Failed"
    assert "not made by sepcli" in next(e.error for e in events if isinstance(e, Failed))
    assert stranger.read_bytes() == Path("b.wav").read_bytes()
    assert fates(run(replace_overwrite(plan), retry_failed=True))["b.wav"] == "Finished"
    assert gain_of("b") == pytest.approx(0.5)


def test_silent_stems_are_done_without_a_file(planner: Planner, field: list[str]) -> None:
    plan = planner(*field, queries=("a gain of 0.5", "a gain of 0"), drop_silent=True)
    run(plan)
    assert not list(OUT.glob("*gain-of-0.wav"))
    assert fates(run(plan)) == dict.fromkeys(field, "Skipped")


def test_an_example_that_went_fails_the_row(
    planner: Planner, field: list[str], recording: Callable[..., Path]
) -> None:
    from sepcli.separation.queries import gather_queries

    example = recording("example.wav", seconds=1)
    plan = planner("a.wav")
    options = replace(plan.options, queries=gather_queries((), None, [example], None))
    plan.header = replace(plan.header, options=options)
    row = plan.row(0)
    asked = replace(row, job=replace(row.job, queries=options.queries))
    plan.row = lambda _: asked  # type: ignore[method-assign]
    example.unlink()
    events = list(work(plan, [0], Policy()))
    assert fates(events) == {"a.wav": "Failed"}
    assert "example.wav" in next(e.error for e in events if isinstance(e, Failed))
    assert PlanWorker(plan, Policy()).is_open(asked)


def test_preview_is_what_is_left(planner: Planner, field: list[str]) -> None:
    plan = planner(*field)
    list(work(plan, [0], Policy()))
    broken(plan, ["b.wav"])
    list(work(plan, [1], Policy()))
    planned = next(preview(plan, None, Policy()))
    assert planned == Planned(1, 3.0, (str(OUT / "c.a-gain-of-0-5.wav"),))
    assert next(preview(plan, None, Policy(retry_failed=True))) == Planned(
        2, 5.0, tuple(str(OUT / f"{name}.a-gain-of-0-5.wav") for name in "bc")
    )
    with batch_lock(OUT, Identity(plan.digest)):
        assert next(preview(plan, Shard(0, 3), Policy())).files == 1


def test_rows_may_come_one_by_one(planner: Planner, field: list[str]) -> None:
    plan, asked = planner(*field), list[int]()

    def coming() -> Iterable[int]:
        for number in (2, 0):
            asked.append(number)
            yield number

    for event in work(plan, coming(), Policy()):
        if isinstance(event, Finished) and event.path == "c.wav":
            assert asked == [2]
    assert asked == [2, 0]


def test_deterministic_work_has_one_thread(planner: Planner, field: list[str]) -> None:
    torch.set_num_threads(2)
    try:
        seen = set()
        for _ in run_plan(planner(*field), None, Policy(deterministic=True)):
            seen.add((torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()))
        assert seen == {(2, False), (1, True)}  # before, and while it works
        assert torch.get_num_threads() == 2
        assert not torch.are_deterministic_algorithms_enabled()
    finally:
        torch.set_num_threads(1)


def test_stems_do_not_depend_on_the_split(planner: Planner, field: list[str]) -> None:
    plan = planner(*field)
    run(plan, deterministic=True)
    whole = {path.name: path.read_bytes() for path in OUT.glob("*.wav")}
    shutil.rmtree(OUT)
    for index in range(2):
        run(plan, Shard(index, 2), deterministic=True)
    assert {path.name: path.read_bytes() for path in OUT.glob("*.wav")} == whole
    assert len(whole) == 3


def test_device_and_batch_may_be_others_than_planned(planner: Planner, field: list[str]) -> None:
    options = planner(*field).options
    given = module.run_options(options, Policy(device="cpu", batch_size=7))
    assert (given.device, given.batch_size, given.skip_existing) == ("cpu", 7, True)
    assert module.run_options(options, Policy()) == replace(options, skip_existing=True)
