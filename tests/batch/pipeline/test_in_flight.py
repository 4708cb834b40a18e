"""Plans whose recordings are separated several at once: the stems are those of one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

from sepcli.batch.journal import merge
from sepcli.batch.plan_file import Plan
from sepcli.batch.worker import PlanWorker, Policy, run_plan
from sepcli.registry import load as loading
from sepcli.separation.events import (
    Done,
    Event,
    Failed,
    Finished,
    Notice,
    Progress,
    Started,
    Throughput,
)

Planner = Callable[..., Plan]
Recording = Callable[..., Path]
Linear = Callable[..., Path]

OUT = Path("separated")


def stems() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in OUT.rglob("*") if path.suffix in SUFFIXES}


SUFFIXES = {".wav", ".flac", ".ogg"}


def run(plan: Plan, **policy: Any) -> list[Event]:
    return list(run_plan(plan, None, Policy(**policy)))


def both_ways(plan: Plan, **policy: Any) -> tuple[dict[str, bytes], dict[str, bytes], list[Event]]:
    """Stems of one recording after another, and of several at once with their events."""
    run(plan, deterministic=True)
    alone = stems()
    for path in [*alone, *map(str, OUT.glob(".sepcli-journal/*"))]:
        Path(path).unlink()
    events = run(plan, **policy)
    return alone, stems(), events


@pytest.fixture
def mixed(recording: Recording) -> list[str]:
    """Recordings of many lengths, rates and channels."""
    shapes = [(0.5, 8000, 1), (9.0, 8000, 2), (1.0, 11_025, 1), (0.5, 8000, 1), (2.7, 16_000, 2)]
    shapes += [(0.5, 8000, 2)] * 6 + [(4.0, 8000, 1)]
    return [
        str(recording(f"{n}.wav", seconds, rate, channels, peak=0.5 - n / 100))
        for n, (seconds, rate, channels) in enumerate(shapes)
    ]


class Recursive(nn.Module):
    """A network that is not linear, looks around, and gives its stems in the order of a coin."""

    def __init__(self, coin: bool = False) -> None:
        super().__init__()
        self.gains = nn.Parameter(torch.ones(2))
        self.batches: list[int] = []
        self._coin = coin

    def forward(self, mixture: Tensor, queries: Tensor | None, _rate: int) -> tuple[Tensor, None]:
        self.batches.append(len(mixture))
        rough = torch.tanh(3 * mixture - mixture.roll(1, -1))
        gains = torch.tensor([0.2, 0.7]) if queries is None else queries[:, 0] / queries[:, -1]
        made = rough[:, None] * gains[:, None, None]
        if not self._coin:
            return made, None
        turned = (mixture[:, :1, :1] > 0)[:, None]
        return torch.where(turned, made.flip(1), made), None


@pytest.fixture
def recursive(monkeypatch: pytest.MonkeyPatch, linear: Linear) -> list[Recursive]:
    """Networks in place of the linear ones."""
    networks: list[Recursive] = []

    def build(**arguments: Any) -> Recursive:
        networks.append(Recursive(**arguments))
        return networks[-1]

    monkeypatch.setitem(loading.ARCHITECTURES, "linear", build)
    return networks


def test_one_window_at_once_gives_the_same_bytes(
    planner: Planner, mixed: list[str], recursive: list[Recursive]
) -> None:
    plan = planner(*mixed, residual=True, container="flac", bits="24")
    alone, at_once, events = both_ways(plan, batch_size=1)
    assert len(alone) == 2 * len(mixed)
    assert at_once == alone
    assert set(recursive[-1].batches) == {1}
    assert sorted(e.index for e in events if isinstance(e, Started)) == list(range(len(mixed)))
    assert sum(isinstance(e, Finished) for e in events) == len(mixed)
    assert len(merge(OUT)) == len(mixed)


@pytest.mark.parametrize("container", ["wav", "ogg"])
def test_batches_of_several_recordings_give_the_same_stems(
    planner: Planner, mixed: list[str], recursive: list[Recursive], container: str
) -> None:
    plan = planner(*mixed, container=container)
    alone, at_once, _ = both_ways(plan, batch_size=4)
    assert at_once.keys() == alone.keys()
    seen = {name: soundfile.read(name)[0] for name in at_once}
    for name, content in alone.items():
        Path(name).write_bytes(content)
        np.testing.assert_allclose(seen[name], soundfile.read(name)[0], atol=1e-5)
    assert max(recursive[-1].batches) > 1


def test_rows_that_ask_differently_get_what_they_asked_for(
    planner: Planner, recording: Recording
) -> None:
    gains = {f"{n}.wav": 0.1 * (n % 3 + 1) for n in range(9)}
    rows = [
        "path,query",
        *(f"{recording(name, seconds=0.5)},a gain of {g:.1f}" for name, g in gains.items()),
    ]
    Path("list.csv").write_text("\n".join(rows))
    run(planner("list.csv", queries=(), template="{input}.{ext}"), batch_size=8)
    for name, gain in gains.items():
        ratio = np.median(soundfile.read(OUT / name)[0] / soundfile.read(name)[0])
        assert ratio == pytest.approx(gain, rel=1e-5)


def test_stems_without_an_order_are_put_in_one(
    planner: Planner, recording: Recording, recursive: list[Recursive], linear: Linear
) -> None:
    names = [str(recording(f"{n}.wav", seconds=5.0 + n)) for n in range(4)]
    model = linear(["one", "two"], "coin", unordered=True, arguments={"coin": True})
    alone, at_once, _ = both_ways(planner(*names, queries=(), model=str(model)), batch_size=1)
    assert at_once == alone
    assert len(alone) == 8


def test_memory_that_is_short_is_told_and_gone_round(
    planner: Planner, field: list[str], linear: Linear
) -> None:
    worker = PlanWorker(planner(*field), Policy(batch_size=8))
    worker._runner._network.most = 2 * 16_000 - 1  # type: ignore[attr-defined]
    events = list(worker.work(range(3)))
    assert sum(isinstance(e, Finished) for e in events) == 3
    assert any("out of memory" in e.message for e in events if isinstance(e, Notice))
    assert (
        np.median(soundfile.read(OUT / "c.a-gain-of-0-5.wav")[0] / soundfile.read("c.wav")[0])
        == 0.5
    )


def test_a_recording_that_fails_leaves_the_others_alone(planner: Planner, mixed: list[str]) -> None:
    plan = planner(*mixed)
    Path(mixed[3]).write_bytes(b"changed")
    events = run(plan, batch_size=4)
    assert [e.path for e in events if isinstance(e, Failed)] == [mixed[3]]
    assert sum(isinstance(e, Finished) for e in events) == len(mixed) - 1


def test_too_many_failures_stop_what_is_in_flight(planner: Planner, recording: Recording) -> None:
    names = [str(recording(f"{n:02}.wav", seconds=0.5 + n / 100)) for n in range(30)]
    plan = planner(*names)
    for name in names:
        Path(name).write_bytes(b"changed")
    events = run(plan, max_failures=0)
    failed = [e for e in events if isinstance(e, Failed)]
    assert "stopped after" in failed[-1].error
    assert 1 <= len(failed) - 1 < len(names)
    assert len(merge(OUT)) == len(failed) - 1  # all that failed, and no more, is on the books


def begun(plan: Plan) -> Generator[Event]:
    """Events of a plan of which every recording is at work."""
    events = run_plan(plan, None, Policy())
    for event in events:
        if isinstance(event, Progress):
            return events
    raise AssertionError("nothing was done")


def test_a_stop_leaves_nothing_half_written_and_no_thread(
    planner: Planner, recording: Recording
) -> None:
    names = [str(recording(f"{n}.wav", seconds=60)) for n in range(3)]
    plan, threads = planner(*names), threading.active_count()
    begun(plan).close()
    found = [path for path in OUT.rglob("*") if path.is_file() and "journal" not in str(path)]
    assert [path for path in found if path.name.startswith(".sepcli-partial")] == []
    assert len(found) == len(merge(OUT))
    assert threading.active_count() == threads
    assert sum(isinstance(e, Finished) for e in run(plan)) == 3 - len(found)


def test_how_fast_it_was_comes_last_but_one(planner: Planner, field: list[str]) -> None:
    events = run(plan := planner(*field))
    told, end = events[-2:]
    assert isinstance(told, Throughput)
    assert isinstance(end, Done)
    assert told.seconds == 6.0
    assert told.took == end.took
    assert told.times_real_time == pytest.approx(6.0 / end.took)
    finished = [e for e in events if isinstance(e, Finished)]
    assert all(min(e.decoding, e.device, e.encoding) > 0 for e in finished)
    assert told.device_busy == pytest.approx(sum(e.device for e in finished) / end.took)
    assert not any(isinstance(e, Throughput) for e in run(plan))  # all was done before
