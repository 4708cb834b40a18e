"""What claims and merges cost when 1,000 workers do one plan of a million recordings.

    python benchmarks/fleet.py [--rows 1000000] [--workers 1000] [--write]

Plan, shards, work keys, journals, their merge, and the books that deal out chunks are the real
ones. Only the separation is missing: a worker's clock moves on by the duration of the recording
over the measured times real time (`results/speed.json`), and nobody waits for it. Durations are
log-normal: half of the recordings are shorter than 30 s. Bookkeeping is counted in CPU seconds of
one core; what a line of a journal waits for the disk is timed on some lines, and left out of the
others.
"""

import argparse
import heapq
import json
import math
import os
import platform
import random
import resource
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Self
from unittest.mock import patch

from sepcli.audio.formats import Encoding
from sepcli.audio.reader import AudioInfo
from sepcli.batch.journal import Journal, Ledger, merge
from sepcli.batch.launchers.crew import Ended, News, Rows, Told
from sepcli.batch.launchers.supervise import supervise
from sepcli.batch.plan_file import Header, Plan, new_plan, read_plan
from sepcli.batch.plan_row import Row
from sepcli.batch.shards import deal
from sepcli.batch.worker import PlanWorker, Policy, identified
from sepcli.separation.events import Event, Finished
from sepcli.separation.inputs import Source
from sepcli.separation.options import SeparateOptions
from sepcli.separation.plan import Job, Output
from sepcli.separation.queries import text_query

HERE = Path(__file__).parent
MEDIAN_SECONDS, SPREAD = 30.0, 1.0  # of the log-normal durations
RATE = 44_100
TIMED_LINES = 500  # of a journal, each safely on disk
STEM_BYTES = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=1_000)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), given.rows, given.workers)
    text = json.dumps(figures, indent=1)
    print(text)
    if given.write:
        (HERE / "results/fleet.json").write_text(text + "\n")


def measure(folder: Path, rows: int, workers: int) -> dict[str, object]:
    """All figures."""
    speed = json.loads((HERE / "results/speed.json").read_text())["long"]["times_real_time"]
    path, clock = folder / "plan.jsonl", Clock()
    with clock.of("plan, once"):
        write_plan(path, folder / "out", rows)
    with clock.of("open"):
        plan = read_plan(path)
    with clock.of("deal"):
        deal(plan.seconds, workers)
    line = line_seconds(folder / "timed")
    crew = SimulatedCrew(plan, workers, speed)
    with without_waiting(), clock.of("supervise"):
        events = sum(1 for _ in supervise(plan, range(rows), crew, Policy()))
    with clock.of("merge"):
        ledger = merge(Path(plan.options.output))
    assert len(ledger) == rows, "a line of a journal is lost"
    work = sum(plan.seconds) / speed
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.python_version()}",
        "rows": rows,
        "workers": workers,
        "hours_of_audio": round(sum(plan.seconds) / 3600),
        "times_real_time": speed,
        "events": events,
        "cpu_seconds": {name: round(took, 2) for name, took in clock.took.items()},
        "rows_cpu_seconds": round(crew.rows_took, 2),
        "line_on_disk_milliseconds": round(1000 * line, 2),
        "work_seconds_of_a_worker": round(work / workers, 1),
        "longest_against_even_share": round(crew.now / (work / workers), 4),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
        "shares": shares(clock.took, crew.rows_took, line, rows / workers, work, workers),
    }


def shares(
    took: dict[str, float],
    rows_took: float,
    line: float,
    rows_each: float,
    work: float,
    workers: int,
) -> dict[str, float]:
    """Parts of the work's time.

    Every worker opens the plan, deals it by itself (as with --shard), merges the journals of a
    night that is all but over, and then claims and journals its rows. The one who supervises has
    all workers to serve while they work.
    """
    each = work / workers
    supervising = took["supervise"] - rows_took
    parts = {
        "open": took["open"] / each,
        "deal": took["deal"] / each,
        "merge": took["merge"] / each,
        "rows": rows_took / work,
        "journal": rows_each * line / each,
    }
    return {
        **{name: round(part, 5) for name, part in parts.items()},
        "all": round(sum(parts.values()), 5),
        "supervisor_busy": round(supervising / each, 5),
    }


class Clock:
    """CPU seconds of named parts."""

    def __init__(self) -> None:
        self.took: dict[str, float] = {}

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Time a part."""
        began = time.process_time()
        yield
        self.took[name] = time.process_time() - began


class Bookkeeper(PlanWorker):
    """A worker without a network: a row is done as soon as it is claimed."""

    _ledger = Ledger()  # nothing was done before, and a merge is timed by itself

    def _separate(self, row: Row, key: str, journal: Journal) -> Generator[Event]:
        journal.done(key, [STEM_BYTES] * len(row.job.outputs))
        yield Finished(str(row.job.info.path), row.job.seconds, 0.0, 1.0, None)


class SimulatedCrew:
    """Workers whose events come in the order of a clock that nobody waits for.

    Attributes:
        now: seconds since all began.
        rows_took: CPU seconds that all rows took their workers, separation left out.
    """

    chunks_each = 32

    def __init__(self, plan: Plan, size: int, speed: float) -> None:
        self.size, self.now, self.rows_took = size, 0.0, 0.0
        self._speed = speed
        self._workers = [Bookkeeper(plan, Policy()) for _ in range(size)]
        self._events: dict[int, Generator[Event]] = {}
        self._next: list[tuple[float, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def give(self, worker: int, rows: Rows) -> None:
        self._events[worker] = self._workers[worker].work(rows)
        heapq.heappush(self._next, (self.now, worker))

    def news(self) -> Iterator[News]:
        self.now, worker = heapq.heappop(self._next)
        began = time.process_time()
        event = next(self._events[worker], None)
        self.rows_took += time.process_time() - began
        if event is None:
            yield Ended(worker)
            return
        took = event.seconds / self._speed if isinstance(event, Finished) else 0.0
        heapq.heappush(self._next, (self.now + took, worker))
        yield Told(worker, event)

    def replace(self, _worker: int) -> None:
        raise AssertionError("nobody dies here")


def write_plan(path: Path, output: Path, rows: int) -> None:
    """A plan of recordings that nobody has."""
    options = SeparateOptions(("archive",), (text_query("speech"),), output=str(output))
    model, fingerprint = identified(options)
    draw = random.Random(0)
    with new_plan(path, Header(options, model.name, fingerprint)) as writer:
        for number in range(rows):
            seconds = draw.lognormvariate(math.log(MEDIAN_SECONDS), SPREAD)
            writer.add(row(number, seconds, output, draw, options))


def row(
    number: int, seconds: float, output: Path, draw: random.Random, options: SeparateOptions
) -> Row:
    """A row for a stereo recording of 16 bit."""
    name = f"{number % 1000:03}/{number:07}"
    stored = Encoding("WAV", "PCM_16", "wav")
    samples = round(seconds * RATE)
    source = Path(f"archive/{name}.wav")
    info = AudioInfo(source, RATE, 2, samples, stored, "soundfile")
    stems = (Output(output / f"{name}.speech.wav", "speech", "query", 0),)
    content = f"{draw.getrandbits(256):064x}"
    job = Job(Source(source), info, options.queries, stems, stored, 0.0, None, None, content)
    return Row(number, content, 4 * samples, job)


def line_seconds(folder: Path) -> float:
    """Median time until a line of a journal is safely on disk."""
    times = []
    with Journal(folder) as journal:
        for number in range(TIMED_LINES):
            began = time.perf_counter()
            journal.done(f"{number:064x}", [STEM_BYTES])
            times.append(time.perf_counter() - began)
    return sorted(times)[TIMED_LINES // 2]


def without_waiting() -> AbstractContextManager[object]:
    """Leave out the wait for the disk, which is timed by itself."""
    return patch.object(os, "fsync", lambda _: None)


if __name__ == "__main__":
    main()
