"""What became of the rows of a plan, in all, and how fast."""

from __future__ import annotations

import time
from collections.abc import Iterator

from sepcli.errors import MemoryExhausted, OutputError
from sepcli.separation.events import (
    Done,
    Event,
    Failed,
    Finished,
    Quarantined,
    Skipped,
    Stage,
    Throughput,
)

FATAL = (MemoryExhausted.exit_code, OutputError.exit_code)  # no further row could fare better
BUSY = 0.8  # share of the time, from which a device is the limit
TICK = 1e-3  # seconds, the least that is told apart


class Tally:
    """Counts what became of rows.

    Args:
        most: rows that may fail; None for any number.
        devices: that are at work.

    Attributes:
        failures: of this time.
    """

    def __init__(self, most: int | None, devices: int = 1) -> None:
        self.failures = 0
        self._most, self._devices = most, devices
        self._counts = {"finished": 0, "skipped": 0, "failed": 0}
        self._spent = {"device": 0.0, "decoding": 0.0, "encoding": 0.0}  # seconds
        self._seconds = 0.0  # of audio
        self._exit_code = 0
        self._began = time.monotonic()

    @property
    def too_many(self) -> bool:
        """Whether more rows failed than may."""
        return self._most is not None and self.failures > self._most

    @property
    def hopeless(self) -> bool:
        """Whether there is no sense in going on."""
        return self.too_many or self._exit_code in FATAL

    def count(self, event: Event) -> Event:
        """Take an event in, and give it back."""
        match event:
            case Failed():
                self._counts["failed"] += 1
                self.failures += not isinstance(event, Quarantined)
                self._exit_code = max(self._exit_code, event.exit_code)
            case Skipped():
                self._counts["skipped"] += 1
            case Finished():
                self._counts["finished"] += 1
                self._seconds += event.seconds
                for stage in self._spent:
                    self._spent[stage] += getattr(event, stage)
        return event

    def last(self) -> Iterator[Event]:
        """How fast it was, if anything was separated, and the end."""
        took = time.monotonic() - self._began
        if self._counts["finished"]:
            yield self._throughput(took)
        yield Done(**self._counts, took=took, exit_code=self._exit_code)

    def _throughput(self, took: float) -> Throughput:
        busy = self._spent["device"] / max(took, TICK) / self._devices
        return Throughput(
            seconds=self._seconds,
            took=took,
            times_real_time=self._seconds / max(took, TICK),
            device_busy=min(1.0, busy),
            limit=self._limit(busy),
        )

    def _limit(self, busy: float) -> Stage:
        """A device with nothing to do waits for what took longer, before it or after it."""
        if busy >= BUSY:
            return "device"
        return "decoding" if self._spent["decoding"] > self._spent["encoding"] else "encoding"
