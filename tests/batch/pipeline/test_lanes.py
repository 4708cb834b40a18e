"""Recordings in flight: how many, what they tell, and how they are stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pytest

from sepcli.audio.formats import Encoding
from sepcli.audio.reader import AudioInfo
from sepcli.audio.windows import Wave
from sepcli.batch.pipeline import lanes as module
from sepcli.batch.pipeline.batcher import Ticket
from sepcli.batch.pipeline.lanes import LANES, LEAST, Lanes
from sepcli.separation.events import Event, Notice, Progress, Started
from sepcli.separation.inputs import Source
from sepcli.separation.plan import Job
from sepcli.separation.runner import Answer, Answering, Question

WAVE = np.ones((4, 1), np.float32)


class Device:
    """Answers silence."""

    def __init__(self, batch: int = 1) -> None:
        self.batch, self.batches = batch, list[int]()

    def answer(self, waves: Sequence[Wave], _question: Question, _rate: int) -> list[Answer]:
        self.batches.append(len(waves))
        return [Answer(0 * wave[None], None) for wave in waves]


def job(name: str, samples: int = 1) -> Job:
    stored = Encoding("WAV", "PCM_16", "wav")
    info = AudioInfo(Path(name), 8000, 1, samples, stored, "soundfile")
    return Job(Source(Path(name)), info, (), (), stored, 0.0, None)


def lanes(device: Device, budget: int = 1000) -> Lanes:
    def size(of: Job) -> int:
        return of.info.samples

    return Lanes(lambda: device, [], size, budget)  # type: ignore[arg-type, return-value]


class Work:
    """Asks for windows, and counts how many do so at once.

    Attributes:
        most: works in flight at most.
        cleaned: names of those that came to an end, or were ended.
    """

    def __init__(self, windows: int = 2) -> None:
        self.now = self.most = 0
        self.cleaned: list[str] = []
        self._windows, self._lock = windows, threading.Lock()

    def of(self, name: str) -> Callable[[Answering, list[str]], Generator[Event]]:
        def work(runner: Answering, _notices: list[str]) -> Generator[Event]:
            with self._lock:
                self.now += 1
                self.most = max(self.most, self.now)
            try:
                for number in range(self._windows):
                    runner.answer([WAVE], Question(None), 8000)
                    yield Progress(name, number)
                yield Notice(name, "last but one")
                yield Notice(name, "last")
            finally:
                with self._lock:
                    self.now -= 1
                    self.cleaned.append(name)

        return work


def through(line: Lanes, jobs: Sequence[Job], work: Work) -> Iterator[Event]:
    for number, one in enumerate(jobs):
        name = str(one.info.path)
        yield from line.make_room(one)
        yield Started(name, number, 0)
        yield from line.begin(one, work.of(name))
    yield from line.finish()


def test_all_events_of_all_recordings_are_told() -> None:
    jobs, work = [job(f"{n}") for n in range(8)], Work()
    with lanes(Device()) as line:
        events = list(through(line, jobs, work))
    for one in jobs:
        name = str(one.info.path)
        kinds = [type(e).__name__ for e in events if getattr(e, "path", "") == name]
        assert kinds == ["Started", "Progress", "Progress", "Notice", "Notice"]
    ends = [e for e in events if isinstance(e, Notice)]
    assert all(a.path == b.path for a, b in zip(ends[::2], ends[1::2], strict=True))


@pytest.mark.parametrize(("batch", "most"), [(1, LEAST), (5, 5 * LANES)])
def test_there_are_lanes_for_three_batches(batch: int, most: int) -> None:
    work, begun = Work(windows=3), 0
    with lanes(Device(batch)) as line:
        while not line._is_full(1):
            list(line.begin(job(f"{begun}"), work.of(f"{begun}")))
            begun += 1
        list(line.finish())
    assert begun == most
    assert 1 < work.most <= most
    assert len(work.cleaned) == most


def test_bytes_keep_recordings_out_but_never_the_only_one() -> None:
    work = Work()
    with lanes(Device(), budget=10) as line:
        list(through(line, [job("a", 5), job("b", 6), job("c", 11), job("d", 5)], work))
    assert work.most == 1
    with lanes(Device(), budget=11) as line:
        for one in (job("a", 5), job("b", 6)):
            assert list(line.make_room(one)) == []
            list(line.begin(one, work.of("e")))
        assert line._is_full(1)


def test_windows_of_recordings_in_flight_share_batches() -> None:
    device, work = Device(batch=4), Work(windows=1)
    with lanes(device) as line:
        begun = [job(f"{n}") for n in range(4)]
        for one in begun:
            list(line.begin(one, work.of(str(one.info.path))))
        while line._inbox.qsize() < 4:
            time.sleep(0.001)
        list(line.finish())
    assert device.batches == [4]


def test_what_is_stopped_cleans_up_and_leaves_no_thread() -> None:
    before, work = threading.active_count(), Work(windows=10**9)
    with lanes(Device()) as line:
        for event in (events := through(line, [job("a"), job("b")], work)):
            if isinstance(event, Progress) and event.seconds > 3:
                break
        events.close()
    assert sorted(work.cleaned) == ["a", "b"]
    until(lambda: threading.active_count() == before)


def until(true: Callable[[], bool]) -> None:
    for _ in range(1000):
        if true():
            return
        time.sleep(0.005)
    raise AssertionError("it never came to be")


def test_what_ends_while_it_is_stopped_is_told() -> None:
    reached, go_on = threading.Event(), threading.Event()

    def ending(_runner: Answering, _notices: list[str]) -> Generator[Event]:
        reached.set()
        go_on.wait(10)
        yield Notice("a", "done")

    with lanes(Device()) as line:
        list(line.begin(job("a"), ending))
        reached.wait(10)
        stopping = line.stop()
        go_on.set()
        assert list(stopping) == [Notice("a", "done")]
        assert list(line.stop()) == []


def test_an_error_that_nobody_foresaw_ends_all() -> None:
    def odd(runner: Answering, _notices: list[str]) -> Generator[Event]:
        runner.answer([WAVE], Question(None), 8000)
        raise ZeroDivisionError
        yield

    work = Work(windows=10**9)
    with lanes(Device()) as line:
        list(line.begin(job("a"), work.of("a")))
        list(line.begin(job("b"), odd))
        with pytest.raises(ZeroDivisionError):
            list(line.finish())
    assert work.cleaned == ["a"]


def test_without_another_thread_it_waits_for_one_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    real, refused, work = threading.Thread.start, list[int](), Work()

    def start(thread: threading.Thread) -> None:
        if work.now:
            refused.append(1)
            raise RuntimeError("can't start new thread")
        real(thread)

    monkeypatch.setattr(module.threading.Thread, "start", start)
    with lanes(Device()) as line:
        list(line.begin(job("a"), work.of("a")))
        until(lambda: bool(work.now))
        events = list(line.begin(job("b"), work.of("b"))) + list(line.finish())
    assert refused
    assert {e.path for e in events if isinstance(e, Notice)} == {"a", "b"}


def test_without_any_thread_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(module.threading.Thread, "start", start)
    with lanes(Device()) as line, pytest.raises(RuntimeError, match="can't start"):
        list(line.begin(job("a"), Work().of("a")))


def test_nobody_waits_for_a_thread_that_a_signal_kept_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work, kept, real = Work(), list[threading.Thread](), threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        kept.append(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(module.threading.Thread, "start", interrupted)
    with lanes(Device()) as line, pytest.raises(KeyboardInterrupt):
        list(line.begin(job("a"), work.of("a")))
    real(kept[0])  # later than anybody thought
    kept[0].join(10)
    assert work.most == 0


class Losing(SimpleQueue[object]):
    """A signal comes when the first item of a kind has been taken out, and nobody has it yet."""

    def __init__(self, kind: type) -> None:
        self._kind: type | None = kind

    def get(self, block: bool = True, timeout: float | None = None) -> object:
        item = super().get(block, timeout)
        if self._kind and isinstance(item, self._kind):
            self._kind = None
            raise KeyboardInterrupt
        return item

    def get_nowait(self) -> object:
        return self.get(block=False)


@pytest.mark.parametrize("kind", [Ticket, module.Lane])
def test_what_a_signal_loses_keeps_nobody_waiting(kind: type) -> None:
    work = Work()
    with lanes(Device()) as line:
        line._inbox = Losing(kind)  # type: ignore[assignment]
        list(line.begin(job("a"), work.of("a")))
        with pytest.raises(KeyboardInterrupt):
            list(line.finish())
    assert work.cleaned == ["a"]


def test_a_device_is_only_asked_for_when_it_is_needed() -> None:
    with Lanes(lambda: pytest.fail("asked for"), [], lambda _: 0) as line:
        assert list(line.finish()) == list(line.stop()) == []
