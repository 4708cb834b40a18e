"""Several recordings in flight, which meet at the device.

Every recording has a lane, threads in which it goes the way of `sepcli.separation.single`:
decoded and resampled in one, joined in another, encoded in a third. So stems, errors and retries
are those of a recording that is alone. Only its windows go elsewhere, to the batcher. The lanes
together are the pools that decode ahead of the device and encode behind it; how many there are
depends on the bytes that they hold.

The device is driven by whoever reads the events, in whose thread signals arrive, too.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cached_property
from queue import Empty, SimpleQueue
from typing import Self

from sepcli.batch.pipeline.batcher import Asker, Batcher, GivenUp, Ticket, refuse
from sepcli.batch.pipeline.line import Work
from sepcli.batch.pipeline.room import BUDGET
from sepcli.separation.events import Event, Progress
from sepcli.separation.plan import Job
from sepcli.separation.runner import Runner

LANES = 3  # for every window of a batch: one is decoded, one on the device, one encoded
WAIT_SECONDS = 0.5  # for news of lanes that are to stop
LEAST = 8  # lanes, however small the batches: most of a short recording's time is the disk's


@dataclass(frozen=True)
class Told:
    """Events of a lane, to be told in one go."""

    events: list[Event]


@dataclass(eq=False)
class Lane:
    """A recording in flight.

    Attributes:
        bytes: that it holds at most.
        rank: the later it was begun, the higher.
        thread: in which it is encoded.
        error: that nobody foresaw, once it has ended.
    """

    bytes: int
    rank: int
    thread: threading.Thread | None = None
    notices: list[str] = field(default_factory=list)
    error: BaseException | None = None


class Lanes:
    """A line of recordings, as many at once as there is room for.

    Args:
        runner: gives who answers what is asked of windows; called when a recording needs it.
        notices: where it leaves what a recording should be told.
        size: bytes that a recording holds at most.
        budget: bytes that all may hold, for every window of a batch; a recording that is larger
            goes alone.
    """

    def __init__(
        self,
        runner: Callable[[], Runner],
        notices: list[str],
        size: Callable[[Job], int],
        budget: int = BUDGET,
    ) -> None:
        self._make_runner, self._notices = runner, notices
        self._size, self._budget = size, budget
        self._inbox: SimpleQueue[Ticket | Told | Lane] = SimpleQueue()
        self._lanes: set[Lane] = set()
        self._events: deque[Event] = deque()
        self._ranks = itertools.count()
        self._stopped = threading.Event()

    @cached_property
    def _runner(self) -> Runner:
        return self._make_runner()

    @cached_property
    def _batcher(self) -> Batcher:
        return Batcher(self._runner, self._notices)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for _event in self.stop():
            pass

    def make_room(self, job: Job) -> Iterator[Event]:
        """What happens until a recording can be begun."""
        while self._is_full(self._size(job)):
            yield from self._turn()

    def begin(self, job: Job, work: Work) -> Iterator[Event]:
        """Begin a recording for which there is room, and tell what happens meanwhile.

        Raises:
            RuntimeError: if the system has no thread left, and none is ours.
        """
        lane = Lane(self._size(job), next(self._ranks))
        while not self._started(lane, work):
            yield from self._turn()

    def finish(self) -> Iterator[Event]:
        """What happens until all recordings that were begun are done."""
        while self._lanes:
            yield from self._turn()

    def stop(self) -> Iterator[Event]:
        """Give up what was begun, and tell what came to its end nevertheless."""
        self._stopped.set()
        while self._lanes:
            self._batcher.refuse()
            alive = {lane for lane in self._lanes if lane.thread and lane.thread.is_alive()}
            try:
                item = self._inbox.get(timeout=WAIT_SECONDS)
            except Empty:
                # A signal kept the others from starting, or took the news of their end. One that
                # comes to life after this finds that it need not begin.
                self._lanes = alive
                continue
            if isinstance(item, Ticket):
                refuse(item)
            else:
                self._take(item)
        yield from self._drained()

    def _is_full(self, size: int) -> bool:
        if not self._lanes:
            return False
        held, batch = sum(lane.bytes for lane in self._lanes), self._runner.batch
        most = max(LEAST, LANES * batch)
        return len(self._lanes) >= most or held + size > self._budget * batch

    def _started(self, lane: Lane, work: Work) -> bool:
        """Whether a lane has a thread; there may be one once another has ended."""
        # A daemon, so that nobody has to wait for it who wants to leave at once.
        lane.thread = threading.Thread(target=self._run, args=(lane, work), daemon=True)
        self._lanes.add(lane)
        try:
            lane.thread.start()
        except RuntimeError:
            self._lanes.remove(lane)
            if not self._lanes:
                raise
            return False
        return True

    def _turn(self) -> Iterator[Event]:
        """Tell what has happened, and give the device one batch; wait if there is neither."""
        if not self._batcher:
            self._receive(self._inbox.get())
        with suppress(Empty):
            while True:
                self._receive(self._inbox.get_nowait())
        yield from self._drained()
        self._batcher.serve()

    def _receive(self, item: Ticket | Told | Lane) -> None:
        if isinstance(item, Ticket):
            self._batcher.add(item)
            return
        self._take(item)
        if isinstance(item, Lane) and item.error is not None:
            raise item.error

    def _take(self, item: Told | Lane) -> None:
        if isinstance(item, Lane):
            assert item.thread is not None
            item.thread.join()  # which has nothing left to do
            self._lanes.discard(item)
        else:
            self._events.extend(item.events)

    def _drained(self) -> Iterator[Event]:
        while self._events:
            yield self._events.popleft()

    def _run(self, lane: Lane, work: Work) -> None:
        """A lane's thread. The events of a recording's end stay together."""
        asker = Asker(self._runner, self._inbox.put, lane.rank, lane.notices.append, self._stopped)
        held: list[Event] = []
        try:
            self._go_on()
            with closing(work(asker, lane.notices)) as events:
                for event in events:
                    held.append(event)
                    if isinstance(event, Progress):
                        self._inbox.put(Told(held))
                        held = []
                        self._go_on()
        except GivenUp:
            pass
        except BaseException as error:
            lane.error = error
        finally:
            self._inbox.put(Told(held))
            self._inbox.put(lane)

    def _go_on(self) -> None:
        """Checked from time to time by a lane.

        Raises:
            GivenUp: if the batch has stopped.
        """
        if self._stopped.is_set():
            raise GivenUp
