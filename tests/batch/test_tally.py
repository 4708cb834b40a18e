"""What a tally makes of events."""

from __future__ import annotations

import pytest

from sepcli.batch import tally as module
from sepcli.batch.tally import Tally
from sepcli.separation.events import Done, Failed, Finished, Quarantined, Skipped, Throughput


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def finished(device: float, decoding: float = 0.0, encoding: float = 0.0) -> Finished:
    return Finished("a.wav", 30.0, 1.0, 1.0, None, decoding, device, encoding)


@pytest.mark.parametrize(
    ("event", "devices", "busy", "limit"),
    [
        (finished(4.0, 9.0, 9.0), 1, 0.8, "device"),
        (finished(3.9, 2.0, 1.0), 1, 0.78, "decoding"),
        (finished(3.9, 1.0, 2.0), 1, 0.78, "encoding"),
        (finished(4.5, 1.0, 2.0), 2, 0.45, "encoding"),
        (finished(5.1), 1, 1.0, "device"),
    ],
)
def test_what_the_limit_was(
    clock: Clock, event: Finished, devices: int, busy: float, limit: str
) -> None:
    tally = Tally(None, devices)
    tally.count(event)
    clock.now += 5.0
    told, end = tally.last()
    assert isinstance(told, Throughput)
    assert (told.seconds, told.took, told.times_real_time) == (30.0, 5.0, 6.0)
    assert told.device_busy == pytest.approx(busy)
    assert told.limit == limit
    assert end == Done(1, 0, 0, 5.0, 0)


def test_nothing_was_separated(clock: Clock) -> None:
    tally = Tally(0)
    tally.count(Skipped("a.wav", ()))
    tally.count(Quarantined("b.wav", "broken", "mend it", 1))
    assert not tally.hopeless
    tally.count(Failed("c.wav", "broken", "mend it", 1))
    assert tally.hopeless
    assert list(tally.last()) == [Done(0, 1, 2, 0.0, 1)]


@pytest.mark.parametrize(("code", "hopeless"), [(1, False), (4, True), (5, True)])
def test_what_no_other_row_would_escape(code: int, hopeless: bool) -> None:
    tally = Tally(None)
    tally.count(Failed("c.wav", "broken", "mend it", code))
    assert tally.hopeless is hopeless
