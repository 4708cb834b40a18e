"""The books of a crew whose members die where the test wants them to."""

from __future__ import annotations

import pickle
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest
from small_plans import duty_for, fates, outcome, stems

from sepcli.batch.launchers import crew as module
from sepcli.batch.launchers.crew import Duty, Ended, Item, Lost, News, Rows, Told, Worker, thinned
from sepcli.batch.launchers.docket import Docket
from sepcli.batch.launchers.supervise import chunks, supervise
from sepcli.batch.plan_file import Plan
from sepcli.batch.worker import Policy
from sepcli.errors import ItemError, MemoryExhausted, OutputError, SepcliError, UsageError
from sepcli.separation.events import Event, Failed, Finished, Progress, Skipped, Started
from sepcli.separation.queries import text_query

Make = Callable[..., Plan]
Dies = Callable[[int, Item], bool]


class Puppets:
    """Workers in this process, asked for an event in turn; each chunk is one row.

    Args:
        dies: whether a worker dies in place of telling an item.
    """

    def __init__(self, duty: Duty, size: int, chunks_each: int, dies: Dies) -> None:
        self.size, self.chunks_each = size, chunks_each
        self._duty, self._dies = duty, dies
        self._workers = {number: Worker(duty) for number in range(size)}
        self._turns: deque[tuple[int, Generator[Item]]] = deque()
        self.left = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.left = True

    def give(self, worker: int, rows: Rows) -> None:
        self._turns.append((worker, self._workers[worker].work(rows)))

    def replace(self, worker: int) -> None:
        self._workers[worker] = Worker(self._duty)

    def news(self) -> Iterator[News]:
        worker, items = self._turns.popleft()
        item = next(items, None)
        if item is None:
            yield Ended(worker)
        elif self._dies(worker, item):
            yield Lost(worker, "old age")
        else:
            self._turns.append((worker, items))
            yield Told(worker, item)


def never(worker: int, item: Item) -> bool:
    return False


@pytest.fixture
def linear_plan(plan: Make, linear: Callable[..., Path]) -> Make:
    """Makes plans for a model that multiplies by a half."""
    folder = linear()

    def make(count: int) -> Plan:
        return plan(count, queries=(text_query("a gain of 0.5"),), model=str(folder))

    return make


def run(plan: Plan, dies: Dies, size: int = 2, policy: Policy | None = None) -> list[Event]:
    """Events of a crew over all rows, in as many chunks as there are rows."""
    given = policy or Policy()
    crew = Puppets(replace(duty_for(plan), policy=given), size, len(plan), dies)
    events = list(supervise(plan, range(len(plan)), crew, given))
    assert crew.left
    return events


def test_what_was_done_but_not_told_is_not_done_again(linear_plan: Make) -> None:
    died: list[str] = []

    def dies(worker: int, item: Item) -> bool:
        if isinstance(item, Finished) and item.path.endswith("r1.wav") and not died:
            died.append(item.path)
            return True
        return False

    events = run(linear_plan(3), dies)
    assert died
    assert fates(events) == {
        "r0.wav": Counter(["Finished"]),
        "r1.wav": Counter(["Skipped"]),
        "r2.wav": Counter(["Finished"]),
    }
    assert len(stems()) == 3
    done = outcome(events)
    assert (done.finished, done.skipped, done.failed, done.exit_code) == (2, 1, 0, 0)


def test_what_failed_but_was_not_told_is_told(linear_plan: Make) -> None:
    plan = linear_plan(2)
    Path("in/r1.wav").write_bytes(b"changed")
    events = run(plan, lambda _, item: isinstance(item, Failed))
    assert fates(events) == {"r0.wav": Counter(["Finished"]), "r1.wav": Counter(["Failed"])}
    (failed,) = (event for event in events if isinstance(event, Failed))
    assert "has changed since it was planned" in failed.error
    assert outcome(events).exit_code == 1


def test_what_failed_before_is_tried_again_although_its_worker_died(linear_plan: Make) -> None:
    plan = linear_plan(1)
    whole = Path("in/r0.wav").read_bytes()
    Path("in/r0.wav").write_bytes(b"changed")
    assert outcome(run(plan, never)).failed == 1
    Path("in/r0.wav").write_bytes(whole)
    deaths = iter([False, True])  # it starts, and then dies; its successor lives
    events = run(plan, lambda *_: next(deaths, False), policy=Policy(retry_failed=True))
    assert fates(events) == {"r0.wav": Counter(["Finished"])}
    assert outcome(events).exit_code == 0


def test_too_many_failures_stop_all(linear_plan: Make) -> None:
    plan = linear_plan(6)
    for number in range(6):
        Path(f"in/r{number}.wav").write_bytes(b"changed")
    events = run(plan, never, policy=Policy(max_failures=2))
    failures = [event for event in events if isinstance(event, Failed)]
    assert len([f for f in failures if f.path.endswith(".wav")]) == 3
    assert "more than --max-failures allows" in failures[-1].error
    assert outcome(events).exit_code == 1


@pytest.mark.parametrize("error", [OutputError, MemoryExhausted])
def test_a_full_disk_or_memory_stops_all(
    linear_plan: Make, error: type[SepcliError], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = linear_plan(6)

    def full(*_: object) -> None:
        raise error("no room", "make some")

    monkeypatch.setattr("sepcli.batch.worker.check_space", full)
    events = run(plan, never)
    assert outcome(events).exit_code == error.exit_code
    assert len([event for event in events if isinstance(event, Failed)]) == 1


def test_a_worker_that_dies_idle_is_left_out(linear_plan: Make) -> None:
    """Worker 1 dies before it tells anything, again and again if it were replaced."""
    events = run(linear_plan(4), lambda worker, _: worker == 1)
    assert len(stems()) == 4
    assert outcome(events).finished == 4


def test_a_refusal_ends_the_batch(linear_plan: Make) -> None:
    plan = linear_plan(1)
    plan.path.write_bytes(plan.path.read_bytes().replace(b"a gain", b"no gain"))
    crew = Puppets(duty_for(plan), 1, 1, never)
    with pytest.raises(UsageError):
        list(supervise(plan, range(1), crew, Policy()))
    assert crew.left


def test_workers_open_the_plan_that_was_dealt_from(linear_plan: Make) -> None:
    plan = linear_plan(1)
    other = module.Duty(plan.path, "another digest", Path.cwd(), duty_for(plan).policy)
    with pytest.raises(UsageError, match="another file where a worker runs"):
        other.begin()


def test_rows_of_a_shard_only(linear_plan: Make) -> None:
    plan = linear_plan(4)
    events = list(supervise(plan, [1, 3], Puppets(duty_for(plan), 1, 1, never), Policy()))
    assert list(fates(events)) == ["r1.wav", "r3.wav"]


def test_chunks_hold_every_row_once_the_heaviest_first() -> None:
    seconds = [1.0, 50.0, 2.0, 3.0, 2.0, 1.0]
    dealt = chunks(seconds, [5, 4, 3, 1], 2)
    assert [list(chunk) for chunk in dealt] == [[1], [5, 4, 3]]
    assert [list(chunk) for chunk in chunks(seconds, [], 2)] == [[]]


def test_suspects_come_last_and_alone() -> None:
    docket = Docket([[1, 2], [], [3]])
    assert len(docket) == 3
    assert docket.take() == [1, 2]
    assert not docket.suspect(1)
    docket.put_back([2])
    docket.put_back([])
    assert [list(docket.take() or ()) for _ in range(4)] == [[2], [3], [1], []]
    assert not docket
    assert docket.suspect(1)


def test_workers_leave_off_when_they_are_stopped(linear_plan: Make) -> None:
    worker = Worker(duty_for(linear_plan(3)))
    items = worker.work(range(3))
    assert isinstance(next(items), Started)
    worker.stop()
    assert list(items) == []
    assert not Path("out").exists()


def test_progress_is_thinned(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([10.0, 10.0, 10.1, 10.3, 10.3])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(now))
    events: list[Event] = [Progress("a", 1), Progress("a", 2), Skipped("b", ()), Progress("a", 3)]
    assert list(thinned(iter(events))) == [events[0], events[2], events[3]]


def test_errors_travel_between_processes() -> None:
    error = pickle.loads(pickle.dumps(ItemError("broken", "mend it")))
    assert (type(error), str(error), error.remedy) == (ItemError, "broken", "mend it")
