"""Plans in the making: order, content, and what is refused as by `separate`."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sepcli.batch import planning as module
from sepcli.batch.plan_file import Plan
from sepcli.batch.plan_row import Row
from sepcli.batch.planning import Planning, in_threads, make_plan
from sepcli.errors import ModelError, SepcliError, UsageError
from sepcli.query.detect import Findings, Sound
from sepcli.query.sight import Picture, Sight
from sepcli.separation import auto, looking
from sepcli.separation.events import Detected
from sepcli.separation.inputs import Source
from sepcli.separation.options import SeparateOptions
from sepcli.separation.plan import Rejected
from sepcli.separation.queries import Query, text_query

Recording = Callable[..., Path]
Linear = Callable[..., Path]


def options(linear: Linear, *inputs: str, **more: object) -> SeparateOptions:
    given: dict[str, object] = {"queries": (text_query("a gain of 0.5"),), "model": str(linear())}
    return SeparateOptions(inputs, **{**given, **more})  # type: ignore[arg-type]


def test_rows_are_in_the_order_of_the_inputs(recording: Recording, linear: Linear) -> None:
    names = [str(recording(f"{i:03}.wav", seconds=0.1)) for i in range(100, 0, -1)]
    rows = [item for item in make_plan(options(linear, *names)) if isinstance(item, Row)]
    assert [str(row.job.info.path) for row in rows] == names
    assert [row.id for row in rows] == list(range(100))


def test_rows_know_their_content(recording: Recording, linear: Linear) -> None:
    path = recording(seconds=1.5, channels=1)
    (row,) = make_plan(options(linear, "mix.wav", residual=True))
    assert isinstance(row, Row)
    assert row.sha256 == row.job.content == hashlib.sha256(path.read_bytes()).hexdigest()
    assert row.size == path.stat().st_size
    assert (row.job.seconds, row.job.info.rate, row.job.info.channels) == (1.5, 8000, 1)
    names = [str(output.path) for output in row.job.outputs]
    assert names == ["separated/mix.a-gain-of-0-5.wav", "separated/mix.residual.wav"]


def test_what_cannot_be_read_is_left_out(recording: Recording, linear: Linear) -> None:
    recording("a.wav", seconds=1)
    Path("b.wav").write_text("no audio")
    recording("d.wav", seconds=1)
    items = list(make_plan(options(linear, "a.wav", "b.wav", "c.wav", "d.wav")))
    assert [type(item) for item in items] == [Row, Rejected, Rejected, Row]
    assert [item.id for item in items if isinstance(item, Row)] == [0, 1]
    errors = [str(item.error) for item in items if isinstance(item, Rejected)]
    assert "b.wav" in errors[0]
    assert errors[1] == "no such file: c.wav"


def test_a_file_that_goes_while_it_is_read(
    recording: Recording, linear: Linear, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording()

    def gone(path: Path) -> str:
        raise FileNotFoundError(2, "No such file or directory", str(path))

    planning = Planning(options(linear, "mix.wav"))
    monkeypatch.setattr(module, "sha256_of", gone)
    (item,) = planning.items()
    assert isinstance(item, Rejected)
    assert str(item.error) == "cannot read mix.wav: No such file or directory"


@pytest.mark.parametrize(
    ("inputs", "more", "error", "message"),
    [
        (["-"], {}, UsageError, "not of a pipe"),
        (["mix.wav"], {"output": "-"}, UsageError, "not of a pipe"),
        (["mix.wav"], {"queries": ()}, UsageError, "nothing to look for"),
        (["mix.wav"], {"stems": ("drums",)}, UsageError, "no fixed stems"),
        (["mix.wav"], {"template": "{x}"}, UsageError, "unknown field x"),
        (["mix.wav"], {"model": "nowhere"}, ModelError, "no model named nowhere"),
        (["mix.wav", "sub/mix.wav"], {}, UsageError, "two stems would be written to"),
        (["mix.wav", "./mix.wav"], {}, UsageError, "two stems would be written to"),
        (["mix.wav"], {"template": "mix.wav", "output": "."}, UsageError, "overwrite its input"),
        (["sub/mix.wav", "mix.wav"], {"template": "{input}.wav", "output": "."}, UsageError, "mix"),
        (["there.wav"], {}, UsageError, "is there already"),
        (["*.nothing"], {}, UsageError, "nothing matches"),
    ],
)
def test_what_is_refused(
    recording: Recording,
    linear: Linear,
    inputs: list[str],
    more: dict[str, object],
    error: type[SepcliError],
    message: str,
) -> None:
    recording()
    recording("sub/mix.wav")
    recording("there.wav")
    recording("separated/there.a-gain-of-0-5.wav")
    with pytest.raises(error, match=message):
        list(make_plan(options(linear, *inputs, **more)))


def test_an_input_that_an_earlier_stem_would_replace(recording: Recording, linear: Linear) -> None:
    recording("a.wav")
    recording("a.a-gain-of-0-5.wav")
    given = options(linear, "a.wav", "a.a-gain-of-0-5.wav", output=".", overwrite=True)
    with pytest.raises(UsageError, match="overwrite its input"):
        list(make_plan(given))


def test_stems_that_are_there_may_be_replaced(recording: Recording, linear: Linear) -> None:
    recording()
    recording("separated/mix.a-gain-of-0-5.wav")
    for how in ("overwrite", "skip_existing"):
        assert len(list(make_plan(options(linear, "mix.wav", **{how: True})))) == 1


def test_a_missing_weight_is_told_at_once(recording: Recording, linear: Linear) -> None:
    recording()
    given = options(linear, "mix.wav")
    (Path(given.model or "") / "gains.safetensors").unlink()
    with pytest.raises(ModelError):
        Planning(given)


def test_manifest_rows_have_queries_of_their_own(recording: Recording, linear: Linear) -> None:
    recording("a.wav", seconds=4)
    Path("list.csv").write_text(
        "path,query,start,end\na.wav,a gain of 0.5,1,2.5\na.wav,a gain of 0.25,,\n"
    )
    given = options(linear, "list.csv", queries=(), template="{input}.{start}.{query}.{ext}")
    rows = [item for item in make_plan(given) if isinstance(item, Row)]
    assert [row.job.seconds for row in rows] == [1.5, 4.0]
    assert [row.job.queries[0].text for row in rows] == ["a gain of 0.5", "a gain of 0.25"]
    assert rows[0].job.outputs[0].path == Path("separated/a.1.a-gain-of-0-5.wav")


def test_pictures_are_put_into_words_once(
    recording: Recording, linear: Linear, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    names = [str(recording(f"{i}.wav", seconds=1)) for i in range(3)]
    Image.new("RGB", (8, 8)).save("dog.png")
    looks: list[Query] = []

    def seen(query: Query, _clip: object) -> Sight:
        looks.append(query)
        return Sight("a gain of 0.25", 0.9, ())

    monkeypatch.setattr(looking, "seen", seen)
    monkeypatch.setattr(looking, "Clip", lambda *_: None)
    asked = Query("image dog", pictures=(Picture(Path("dog.png")),))
    planning = Planning(options(linear, *names, queries=(asked,)))
    rows = [item for item in planning.items() if isinstance(item, Row)]
    assert {row.job.queries[0].sight for row in rows} == {Sight("a gain of 0.25", 0.9, ())}
    assert planning.header.options.queries == rows[0].job.queries
    assert looks == [asked]


def test_what_is_detected_is_planned(
    recording: Recording, linear: Linear, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.wav", "b.wav"):
        recording(name, seconds=1)
    Path("c.wav").write_text("no audio")

    class Ears:
        def search(self, source: Source, *_: object) -> Findings:
            if source.path == Path("c.wav"):
                raise auto.ItemError("cannot read c.wav", "record it again")
            found = source.path == Path("a.wav")
            return Findings((Sound("a gain of 0.5", 0.8, (), ()),) if found else ())

    monkeypatch.setattr(auto, "listener", lambda *_: Ears())
    given = options(linear, "a.wav", "b.wav", "c.wav", queries=(), auto=True)
    items = list(make_plan(given))
    assert [type(item) for item in items] == [Detected, Detected, Rejected, Row]
    assert [item.job.queries[0].text for item in items if isinstance(item, Row)] == [
        "a gain of 0.5"
    ]


def test_plans_of_a_folder_keep_its_folders(recording: Recording, linear: Linear) -> None:
    recording("field/one/a.wav", seconds=1)
    recording("field/two/a.wav", seconds=1)
    rows = [r for r in make_plan(options(linear, "field", recursive=True)) if isinstance(r, Row)]
    places = [os.fspath(row.job.outputs[0].path.parent) for row in rows]
    assert places == ["separated/one", "separated/two"]


def test_threads_are_never_far_ahead() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    results = in_threads(lambda number: number * 2, items())
    assert next(results) == 0
    assert len(taken) == module.AHEAD
    assert next(results) == 2
    assert len(taken) == module.AHEAD + 1
    results.close()  # type: ignore[attr-defined]
    assert not [t for t in threading.enumerate() if t.name.startswith("plan")]


def test_a_plan_says_how_it_was_made(planner: Callable[..., Plan], field: list[str]) -> None:
    plan = planner(*field, residual=True)
    assert plan.header.model == "linear"
    assert plan.options.inputs == tuple(field)
    assert replace(plan.options, residual=False) != plan.options
