"""The files of a run: whole or as before, logs without doubles, curves that show the log."""

from __future__ import annotations

import json
import math
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib import image
from small_task import config_of

from sepcli.errors import OutputError, UsageError
from sepcli.training.loop import environment
from sepcli.training.loop.checkpoint import read_state, refuse_misfit, write_state
from sepcli.training.loop.curves import plot, series_of, smoothed
from sepcli.training.loop.files import replace
from sepcli.training.loop.folder import RunFolder
from sepcli.training.loop.log import Log

CPU = torch.device("cpu")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Files of this process cannot grow beyond a size, as if the disk were full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_checkpoint_comes_back() -> None:
    path = Path("state.pt")
    assert read_state(path) is None
    write_state(path, {"step": 3, "w": torch.arange(4.0)})
    state = read_state(path)
    assert state is not None
    assert state["step"] == 3
    assert torch.equal(state["w"], torch.arange(4.0))


def test_a_full_disk_leaves_the_last_checkpoint() -> None:
    path = Path("state.pt")
    write_state(path, {"step": 1})
    with largest_file(4096), pytest.raises(OutputError, match=r"cannot write state\.pt") as caught:
        write_state(path, {"step": 2, "w": torch.randn(100_000)})
    assert caught.value.exit_code == 5
    assert "free some space" in caught.value.remedy
    assert read_state(path) == {"step": 1}
    assert [p.name for p in Path().iterdir()] == ["state.pt"]


def test_what_is_no_fault_of_the_disk_is_not_blamed_on_it() -> None:
    def fail(_file: object) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        replace(Path("state.pt"), fail)
    assert list(Path().iterdir()) == []


def test_a_damaged_checkpoint_is_told_in_a_line() -> None:
    path = Path("state.pt")
    write_state(path, {"w": torch.randn(1000)})
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UsageError, match=r"state\.pt is damaged"):
        read_state(path)


def test_a_checkpoint_runs_no_code() -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (Path("pwned"),))

    torch.save({"x": Evil()}, "state.pt")
    with pytest.raises(UsageError, match="damaged or no checkpoint"):
        read_state(Path("state.pt"))
    assert not Path("pwned").exists()


def test_another_architecture_is_told_by_its_first_difference() -> None:
    here = torch.nn.Linear(3, 2)
    refuse_misfit(here.state_dict(), here, Path("x.pt"))
    with pytest.raises(UsageError, match=r"bias is \[4\] there and \[2\] here"):
        refuse_misfit(torch.nn.Linear(3, 4).state_dict(), here, Path("x.pt"))
    with pytest.raises(UsageError, match=r"bias is missing there and \[2\] here"):
        refuse_misfit(torch.nn.Linear(3, 2, bias=False).state_dict(), here, Path("x.pt"))


def test_a_log_keeps_digits_and_loses_doubles() -> None:
    log = Log(Path("log.jsonl"))
    for step in (1, 2, 3):
        log.append(step, loss=step + 0.123456789, gone=math.nan)
    with Path("log.jsonl").open("a") as file:
        file.write('{"step": 4, "se')
    log = Log(Path("log.jsonl"))
    log.cut(2)
    log.append(3, loss=0.5)
    lines = [json.loads(line) for line in Path("log.jsonl").read_text().splitlines()]
    assert [(line["step"], line["loss"]) for line in lines] == [
        (1, 1.123457),
        (2, 2.123457),
        (3, 0.5),
    ]
    assert lines[0]["gone"] is None


def test_seconds_go_on_from_the_part_before() -> None:
    Path("log.jsonl").write_text('{"step": 1, "seconds": 40.0}\n{"step": 2, "seconds": 90.0}\n')
    log = Log(Path("log.jsonl"))
    log.cut(1)
    log.append(2)
    seconds = [line["seconds"] for line in log.lines()]
    assert seconds == [40.0, pytest.approx(40.0, abs=5)]


def test_a_full_disk_is_told_by_the_log() -> None:
    log = Log(Path("log.jsonl"))
    log.append(1, loss=1.0)
    with largest_file(50), pytest.raises(OutputError, match=r"log\.jsonl"):
        log.append(2, loss=1.0)
    assert [line["step"] for line in log.lines()] == [1]


def test_a_folder_says_what_was_asked_and_with_what(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "PACKAGES", ("torch", "never-heard-of-it"))
    folder = RunFolder(Path("a/run"))
    assert not folder.started
    assert folder.changes(config_of()) == ()
    folder.describe(config_of(steps=9), CPU)
    assert json.loads(Path("a/run/config.json").read_text())["steps"] == 9
    facts = json.loads(Path("a/run/environment.json").read_text())
    assert torch.__version__.startswith(facts["packages"]["torch"])
    assert facts["packages"]["never-heard-of-it"] is None
    assert (facts["device"], facts["processes"]) == ("cpu", 1)
    changed = folder.changes(config_of(steps=8, loop={"clip": 1.0}))
    assert changed == ("loop.clip", "steps")
    folder.save({"step": 1})
    assert folder.started


def test_a_folder_that_is_none_or_damaged() -> None:
    Path("file").write_text("")
    with pytest.raises(OutputError, match="cannot write file"):
        RunFolder(Path("file")).describe(config_of(), CPU)
    folder = RunFolder(Path("run"))
    folder.describe(config_of(), CPU)
    Path("run/config.json").write_text("{")
    with pytest.raises(UsageError, match=r"config\.json is damaged"):
        folder.changes(config_of())


def test_only_the_best_are_kept() -> None:
    folder = RunFolder(Path())
    for step in (1, 2, 3):
        folder.save({"step": step}, f"best-{step}.pt")
    folder.keep_best([3, 1])
    assert sorted(p.name for p in Path().glob("best-*")) == ["best-1.pt", "best-3.pt"]


def drawn(lines: list[dict[str, float | None]]) -> np.ndarray:
    Path("log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    path = plot(Path())
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    pixels: np.ndarray = image.imread(path)
    return pixels


def test_curves_are_a_picture_of_the_log() -> None:
    lines: list[dict[str, float | None]] = [
        {"step": s, "seconds": s, "loss": 1 / s} for s in range(1, 50)
    ]
    first = drawn(lines)
    assert first.ndim == 3
    assert first.std() > 0.01
    assert np.array_equal(first, drawn(lines))
    assert not np.array_equal(first, drawn([*lines[:-1], {**lines[-1], "loss": 0.5}]))
    validated = drawn([*lines, {"step": 25, "seconds": 25, "val_loss": 0.3, "accuracy": None}])
    assert validated.shape == first.shape  # in the same panel
    assert not np.array_equal(first, validated)
    assert drawn([{**line, "b": 1, "c": 2, "d": 3} for line in lines]).shape[0] > first.shape[0]


def test_series_leave_out_what_is_not_finite() -> None:
    lines = [{"step": 1, "seconds": 0, "a": 2.0}, {"step": 2, "seconds": 0, "a": None, "b": 1.0}]
    assert series_of(lines) == {"a": [(1, 2.0)], "b": [(2, 1.0)]}


def test_no_curves_without_figures() -> None:
    with pytest.raises(UsageError, match="no figures are logged"):
        plot(Path())


def test_curves_are_smoothed_by_their_neighbours() -> None:
    values = np.arange(100.0) ** 2
    means = smoothed(values.tolist())
    assert means[50] == pytest.approx(values[48:53].mean())
    assert means[0] == pytest.approx(values[:3].mean())
    assert means[-1] == pytest.approx(values[-3:].mean())
    assert np.array_equal(smoothed([3.0]), [3.0])
