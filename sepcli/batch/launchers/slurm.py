"""Workers as jobs of a Slurm cluster, submitted as an array.

Which partition, account, time limit, memory and GPUs a job gets is said as Slurm users say it, in
variables such as SBATCH_PARTITION. Events come back through files: the output folder has to be
one that all nodes share.
"""

from __future__ import annotations

import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Literal, Self

from sepcli.batch.launchers.crew import LEAVE_SECONDS, Duty, Ended, Lost, News, Rows, Told, Worker
from sepcli.batch.launchers.event_lines import EventReader, EventWriter
from sepcli.batch.lock import Identity, batch_lock
from sepcli.batch.shards import Shard
from sepcli.errors import OutputError, UsageError

FOLDER = ".sepcli-slurm"  # of logs and events, in the folder of the stems
WAIT_SECONDS = {"slurm": 2.0, "local": 0.1}  # between two looks for news
ASK_SECONDS = {"slurm": 30.0, "local": 0.1}  # between two questions about jobs' states
MOST_JOBS = 1_000_000  # of a batch
SIGNALS = ("SIGINT", "SIGTERM", "SIGUSR2")  # cancelled, or about to reach the time limit


@dataclass
class Posting:
    """A job that does a chunk."""

    job: Any
    events: EventReader


class SlurmCrew:
    """Jobs, each of which does one chunk of rows.

    Jobs outlive the command that submitted them, if it dies. Therefore it is they who hold the lock
    of the output folder, each as if it were a shard of its own.

    Args:
        duty: what they do.
        size: how many.
        output: folder of the stems; logs and events go into a folder of their own in it.
        shard: of the plan, that the jobs share; None for all of it.
        cluster: of submitit; "local" runs the jobs here, as processes.

    Raises:
        UsageError: if submitit is not installed, or this is no Slurm cluster.
        OutputError: if the folder cannot be made.
    """

    chunks_each = 1

    def __init__(
        self,
        duty: Duty,
        size: int,
        output: Path,
        shard: Shard | None,
        cluster: Literal["slurm", "local"] = "slurm",
    ) -> None:
        self.size, self._duty, self._cluster = size, duty, cluster
        self._output, self._shard = output.absolute(), shard or Shard(0, 1)
        self._folder = self._output / FOLDER / secrets.token_hex(4)
        try:
            self._folder.mkdir(parents=True, mode=0o700)
        except OSError as error:
            message = f"cannot make {self._folder}: {error.strerror}"
            raise OutputError(message, "choose another -o folder") from error
        self._executor = executor(self._folder, cluster)
        self._waiting: list[tuple[int, Rows]] = []
        self._postings: dict[int, Posting] = {}
        self._submitted = 0
        self._asked = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for posting in self._postings.values():
            posting.job.cancel(check=False)
        end = time.monotonic() + LEAVE_SECONDS
        while time.monotonic() < end and not all(p.job.done() for p in self._postings.values()):
            time.sleep(WAIT_SECONDS[self._cluster])

    def give(self, worker: int, rows: Rows) -> None:
        """Keep a chunk until `news` submits all that were given, as one array."""
        self._waiting.append((worker, rows))

    def news(self) -> Iterator[News]:
        """What the jobs have written since."""
        self._submit()
        gone = self._gone()
        heard = False
        for worker, posting in list(self._postings.items()):
            for item in posting.events.read():
                heard = True
                yield Told(worker, item)
            if posting.events.ended:
                del self._postings[worker]
                yield Ended(worker)
            elif worker in gone:
                del self._postings[worker]
                yield Lost(worker, f"job {posting.job.job_id}, see {posting.job.paths.stderr}")
        if not heard:
            time.sleep(WAIT_SECONDS[self._cluster])

    def replace(self, worker: int) -> None:
        """Nothing to do: every chunk is another job."""

    def _submit(self) -> None:
        if not self._waiting:
            return
        with self._executor.batch():
            sent = [(worker, *self._posted(rows)) for worker, rows in self._waiting]
        for worker, job, file in sent:
            self._postings[worker] = Posting(job, EventReader(file))
        self._waiting.clear()

    def _posted(self, rows: Rows) -> tuple[Any, Path]:
        """A job for rows, and the file that it writes events to."""
        file = self._folder / f"{self._submitted}.events.jsonl"
        part = self._shard.index * MOST_JOBS + self._submitted
        identity = Identity(self._duty.digest, Shard(part, self._shard.count * MOST_JOBS))
        self._submitted += 1
        job = self._executor.submit(do_chunk, self._duty, rows, file, self._output, identity)
        return job, file

    def _gone(self) -> set[int]:
        """Workers whose jobs are over; asked before their last events are read."""
        if time.monotonic() - self._asked < ASK_SECONDS[self._cluster]:
            return set()
        self._asked = time.monotonic()
        # One question to the scheduler is about all jobs.
        return {
            worker
            for position, (worker, posting) in enumerate(self._postings.items())
            if posting.job.done(force_check=position == 0)
        }


def do_chunk(duty: Duty, rows: Rows, file: Path, output: Path, identity: Identity) -> None:
    """A job: do rows, writing events to a file, until a signal says that time is up."""
    on_signals(leave)
    with closing(EventWriter(file)) as writer:
        try:
            with batch_lock(output, identity), closing(Worker(duty).work(rows)) as items:
                for item in items:
                    writer.write(item)
        except OutputError as error:
            writer.write(error)
        writer.end()


def on_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    """Have all SIGNALS that this system knows handled."""
    for name in SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), handler)


def leave(number: int, _frame: FrameType | None) -> None:
    """Clean up and end; further signals do not disturb that."""
    on_signals(signal.SIG_IGN)
    sys.exit(128 + number)


def executor(folder: Path, cluster: str) -> Any:
    """submitit's executor for a cluster.

    Raises:
        UsageError: if submitit is not installed, or this is no Slurm cluster.
    """
    try:
        submitit = import_module("submitit")
    except ImportError as error:
        remedy = "pip install 'sepcli[slurm]', or use --launcher local"
        raise UsageError("--launcher slurm needs submitit", remedy) from error
    if cluster == "local":
        made = submitit.LocalExecutor(folder)
        made.update_parameters(timeout_min=60)
        return made
    try:
        made = submitit.SlurmExecutor(folder)
    except RuntimeError as error:
        remedy = "run it where sbatch and srun are, or use --launcher local"
        raise UsageError("no Slurm here", remedy) from error
    # No time limit of ours: the partition's own, or SBATCH_TIMELIMIT.
    made.update_parameters(job_name="sepcli", time=None, array_parallelism=10_000)
    return made
