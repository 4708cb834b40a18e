"""Trainings from end to end: what they compute, write, survive and refuse."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import threading
from pathlib import Path

import pytest
import torch
from small_task import (
    BATCH,
    CPU,
    STEPS,
    Signalled,
    SmallTask,
    config_of,
    logged,
    raise_signalled,
    trained,
    weights,
)
from test_run_files import largest_file

from sepcli.errors import ItemError, MemoryExhausted, OutputError, UsageError
from sepcli.training.loop import curves, loader
from sepcli.training.loop.curves import plot
from sepcli.training.loop.events import Finished, Noted, Saved, Skipped, Started, Stepped, Validated
from sepcli.training.loop.folder import RunFolder
from sepcli.training.loop.guard import Diverged
from sepcli.training.loop.held import HELD
from sepcli.training.loop.schedule import rate_factor
from sepcli.training.loop.trainer import Trainer


def same(first: Path | str, second: Path | str) -> bool:
    """Whether two runs ended with equal weights and averages, bit by bit."""
    return all(
        torch.equal(value, weights(second, part)[key])
        for part in ("module", "average")
        for key, value in weights(first, part).items()
    )


def test_a_run_is_what_a_plain_loop_computes() -> None:
    config = config_of(loop={"clip": 0.5, "ema": 0.3, "weight_decay": 0.1})
    events = trained("run", SmallTask(BATCH), config)
    task = SmallTask(BATCH)
    scale = task.module.get_parameter("log_scale")
    others = [p for p in task.module.parameters() if p is not scale]
    optimizer = torch.optim.AdamW([{"params": others}, {"params": [scale]}], weight_decay=0.1)
    average = {key: value.clone() for key, value in task.module.state_dict().items()}
    losses = []
    for step in range(STEPS):
        rate = config.lr * rate_factor(step, STEPS, config.schedule)
        optimizer.param_groups[0]["lr"], optimizer.param_groups[1]["lr"] = rate, 0.1 * rate
        loss = task.module(task.batch(step, 0, BATCH))["loss"]
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(task.module.parameters(), 0.5)
        optimizer.step()
        decay = min(0.3, (1 + step) / (10 + step))
        for key, value in task.module.state_dict().items():
            average[key] = decay * average[key] + (1 - decay) * value
        losses.append(loss.item())
    assert [e.figures["loss"] for e in events if isinstance(e, Stepped)] == pytest.approx(losses)
    for key, value in task.module.state_dict().items():
        torch.testing.assert_close(weights("run")[key], value, rtol=1e-6, atol=1e-7)
        torch.testing.assert_close(weights("run", "average")[key], average[key])


def test_what_a_run_tells_and_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "plot", plot)
    task = SmallTask(BATCH, figures=[3.0, 1.0, 2.0])
    config = config_of(steps=5, loop={"save_every": 2, "keep": 2})
    events = trained("run", task, config)
    kinds = [Started, Stepped, Stepped, Validated, Saved, Stepped, Stepped, Validated, Saved]
    assert [type(e) for e in events] == [*kinds, Stepped, Validated, Saved, Finished]
    assert [(e.step, e.best) for e in events if isinstance(e, Validated)] == [
        (2, True),
        (4, True),
        (5, False),
    ]
    assert events[-1] == Finished(5, "steps", best_step=4)
    assert events[0] == Started(0, 5, 127, "cpu", 1)
    assert isinstance(events[1], Stepped)
    assert events[1].samples_per_second > 0
    assert 0 < events[1].wait_share < 1
    assert task.moved == 5
    names = {p.name for p in Path("run").iterdir()}
    files = {"config.json", "environment.json", "log.jsonl", "curves.png", "checkpoint.pt"}
    assert names == files | {"best-4.pt", "best-5.pt", "tensorboard"}
    best = torch.load("run/best-4.pt", weights_only=True)
    assert (best["step"], best["figures"]) == (4, {"error": 1.0})
    lines = [json.loads(line) for line in Path("run/log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 2, 3, 4, 4, 5, 5]
    assert lines[0]["lr"] == config.lr * rate_factor(0, 5, config.schedule)
    assert list(Path("run/tensorboard").iterdir())


def test_patience_ends_a_run_and_keeps_it_ended() -> None:
    task = SmallTask(BATCH, figures=[1.0, 2.0, 2.0, 0.0])
    config = config_of(loop={"save_every": 1, "patience": 2})
    assert trained("run", task, config)[-1] == Finished(3, "patience", best_step=1)
    again = trained("run", SmallTask(BATCH), config)
    assert again[1:] == [Finished(3, "patience", best_step=1)]


def test_validation_scores_the_average_and_trains_on_the_rest() -> None:
    events = trained("run", SmallTask(BATCH), config_of(loop={"save_every": 3}))
    task = SmallTask(BATCH)
    task.module.load_state_dict(weights("run", "average"))
    task.module.eval()
    with torch.no_grad():
        error = task.validate(task.module)["error"]
    assert [e for e in events if isinstance(e, Validated)][-1].figures["error"] == error
    trained("rarely", SmallTask(BATCH), config_of())
    assert same("run", "rarely")


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("until", [1, 4])
def test_a_run_that_was_broken_off_ends_like_a_whole_one(workers: int, until: int) -> None:
    def task() -> SmallTask:
        return SmallTask(BATCH, dropout=0.3, batch_norm=True)

    config = config_of(loop={"save_every": 2, "accumulate": 2, "workers": workers})
    trained("whole", task(), config)
    trained("broken", task(), config, until)
    assert trained("broken", task(), config)[0] == Started(until, STEPS, 127, "cpu", 1)
    assert same("whole", "broken")
    assert logged("whole") == logged("broken")
    assert logged("whole", "error") == logged("broken", "error")


def test_workers_change_nothing() -> None:
    runs = []
    for workers in (0, 1, 2):
        task, config = SmallTask(BATCH, dropout=0.3), config_of(loop={"workers": workers})
        events = trained(f"run{workers}", task, config)
        runs.append([e.figures for e in events if isinstance(e, Stepped)])
    assert runs[0] == runs[1] == runs[2]


def test_accumulated_batches_are_a_large_one() -> None:
    trained("large", SmallTask(BATCH, contrast=0), config_of())
    small = config_of(batch=BATCH // 2, loop={"accumulate": 2})
    trained("small", SmallTask(BATCH // 2, contrast=0), small)
    for name in ("loss", "grad_norm"):  # AdamW does not mind a gradient's scale
        assert logged("small", name) == pytest.approx(logged("large", name), rel=1e-5)
    for key, value in weights("large").items():
        torch.testing.assert_close(weights("small")[key], value, rtol=1e-5, atol=1e-6)


def test_a_signal_waits_for_a_checkpoint() -> None:
    before = signal.signal(signal.SIGTERM, raise_signalled)
    try:
        run = Trainer(SmallTask(BATCH), config_of(), RunFolder(Path("run")), CPU).run()
        assert [type(next(run)) for _ in range(4)] == [Started, *[Stepped] * 3]
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Signalled):
            next(run)
        assert signal.getsignal(signal.SIGTERM) is raise_signalled
    finally:
        signal.signal(signal.SIGTERM, before)
    assert torch.load("run/checkpoint.pt", weights_only=True)["step"] == 3
    assert logged("run") == pytest.approx(logged("run")[:3])
    trained("run", SmallTask(BATCH), config_of())
    trained("whole", SmallTask(BATCH), config_of())
    assert same("run", "whole")


def test_a_signal_that_means_nothing_stops_nothing() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        run = Trainer(SmallTask(BATCH), config_of(), RunFolder(Path("run")), CPU).run()
        for event in run:
            if isinstance(event, Stepped) and event.step in (2, 4):
                os.kill(os.getpid(), signal.SIGTERM)
        assert event == Finished(STEPS, "steps", STEPS)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_thread_trains_without_signals() -> None:
    ends = []
    thread = threading.Thread(
        target=lambda: ends.append(trained("run", SmallTask(BATCH), config_of())[-1])
    )
    thread.start()
    thread.join()
    assert ends == [Finished(STEPS, "steps", STEPS)]


def test_what_is_not_finite_is_skipped() -> None:
    events = trained("run", SmallTask(BATCH, broken=[1, 2, 4]), config_of())
    assert [e for e in events if isinstance(e, Skipped)] == [
        Skipped(2, 1),
        Skipped(3, 2),
        Skipped(5, 1),
    ]
    assert all(value.isfinite().all() for value in weights("run").values())
    assert logged("run", "skipped") == [1, 1, 1]
    assert len(logged("run")) == 3


def test_a_run_that_diverges_ends_with_its_last_good_checkpoint() -> None:
    config = config_of(steps=40, loop={"save_every": 5})
    with pytest.raises(Diverged) as caught:
        trained("run", SmallTask(BATCH, broken=range(7, 40)), config)
    assert caught.value.exit_code == 1
    state = torch.load("run/checkpoint.pt", weights_only=True)
    assert state["updates"] == 7
    assert all(value.isfinite().all() for value in state["average"].values())


@pytest.mark.parametrize("workers", [0, 1])
def test_data_that_cannot_be_mixed_is_told_and_costs_no_step(workers: int) -> None:
    config = config_of(loop={"workers": workers})
    with pytest.raises(ItemError, match="a sound is broken") as caught:
        trained("run", SmallTask(BATCH, bad=[4]), config)
    assert caught.value.remedy == "mend it"
    assert trained("run", SmallTask(BATCH), config)[0] == Started(4, STEPS, 127, "cpu", 1)


def test_a_worker_that_was_killed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(loader, "_leave_signals", die)
    with pytest.raises(MemoryExhausted, match="a process that mixes was killed"):
        trained("run", SmallTask(BATCH), config_of(loop={"workers": 1}))


def test_workers_leave_signals_to_who_trains() -> None:
    before = [signal.getsignal(number) for number in HELD]
    try:
        loader._leave_signals(0)
        assert [signal.getsignal(number) for number in HELD] == [signal.SIG_IGN] * 2
    finally:
        for number, handler in zip(HELD, before, strict=True):
            signal.signal(number, handler)


def test_other_errors_of_torch_are_not_explained_away(monkeypatch: pytest.MonkeyPatch) -> None:
    task = SmallTask(BATCH)

    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(task, "batch", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        trained("run", task, config_of())


def test_a_full_disk_ends_a_run_with_its_last_checkpoint() -> None:
    config = config_of(loop={"save_every": 2})
    trained("run", SmallTask(BATCH), config, until=2)
    run = Trainer(SmallTask(BATCH), config, RunFolder(Path("run")), CPU).run()
    for event in run:
        if isinstance(event, Stepped) and event.step == 3:
            break
    with largest_file(3000), pytest.raises(OutputError) as caught:
        list(run)
    assert caught.value.exit_code == 5
    assert torch.load("run/checkpoint.pt", weights_only=True)["step"] == 2
    assert not list(Path("run").glob(".sepcli-partial-*"))
    trained("run", SmallTask(BATCH), config)
    trained("whole", SmallTask(BATCH), config)
    assert same("run", "whole")


def test_a_checkpoint_of_another_network_is_refused() -> None:
    trained("run", SmallTask(BATCH), config_of(), until=2)
    config = Path("run/config.json").read_text()
    with pytest.raises(UsageError, match=r"another architecture: body\.1\.num_batches_tracked"):
        trained("run", SmallTask(BATCH, batch_norm=True), config_of(lr=1.0))
    assert Path("run/config.json").read_text() == config


def test_a_checkpoint_of_other_groups_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    trained("run", SmallTask(BATCH), config_of(), until=2)
    task = SmallTask(BATCH)
    groups = task.groups()[:1]
    monkeypatch.setattr(task, "groups", lambda: groups)
    with pytest.raises(UsageError, match="of another training"):
        trained("run", task, config_of())


def test_a_resumed_run_says_what_has_changed() -> None:
    trained("run", SmallTask(BATCH), config_of(), until=2)
    first = trained("run", SmallTask(BATCH), config_of(lr=0.01, loop={"ema": 0.5}))[0]
    assert isinstance(first, Started)
    assert first.changed == ("loop.ema", "lr")


def test_an_unknown_figure_to_select_by_costs_no_step() -> None:
    with pytest.raises(UsageError, match="no validation figure is called 'eror'"):
        trained("run", SmallTask(BATCH), config_of(loop={"select": "-eror"}))
    events = trained("run", SmallTask(BATCH), config_of())
    assert [type(e) for e in events] == [Started, Validated, Saved, Finished]


def test_a_finished_run_goes_on_with_more_steps() -> None:
    trained("run", SmallTask(BATCH), config_of())
    events = trained("run", SmallTask(BATCH), config_of(steps=STEPS + 1))
    assert [e.step for e in events if isinstance(e, Stepped)] == [STEPS + 1]


def test_long_logs_leave_steps_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sepcli.training.loop.trainer.LINES", 3)
    trained("run", SmallTask(BATCH), config_of())
    lines = [json.loads(line) for line in Path("run/log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == [2, 4, 6]


def test_without_tensorboard_a_run_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sepcli.training.loop.board", None)
    notes = [e for e in trained("run", SmallTask(BATCH), config_of()) if isinstance(e, Noted)]
    assert len(notes) == 1
    assert "pip install tensorboard" in notes[0].text
    assert not Path("run/tensorboard").exists()


def test_nothing_is_nan_in_a_good_run() -> None:
    trained("run", SmallTask(BATCH), config_of())
    assert all(math.isfinite(v) for v in (*logged("run"), *logged("run", "grad_norm")))
