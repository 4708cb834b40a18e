"""Many workers over one plan: processes here, jobs of a Slurm cluster, or actors of a Ray cluster.

Whichever it is, what they tell is one stream of events, as if one process had done it all.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Literal

from sepcli.batch.launchers.crew import Crew, Duty
from sepcli.batch.launchers.local import LocalCrew
from sepcli.batch.launchers.ray import RayCrew
from sepcli.batch.launchers.slurm import SlurmCrew
from sepcli.batch.launchers.supervise import supervise
from sepcli.batch.lock import Identity, batch_lock
from sepcli.batch.plan_file import Plan
from sepcli.batch.shards import Shard
from sepcli.batch.worker import Policy, rows_of
from sepcli.errors import UsageError
from sepcli.separation.events import Event

Kind = Literal["local", "slurm", "ray"]


def launch(
    kind: Kind,
    plan: Plan,
    shard: Shard | None = None,
    policy: Policy | None = None,
    workers: int | None = None,
) -> Generator[Event]:
    """Separate a plan, or a shard of it, with many workers.

    Args:
        kind: where they run.
        plan: which must be readable by all of them, under the same path.
        shard: the part to do; None for all.
        policy: how the rows are worked through.
        workers: how many. None for one per GPU; without any, for one process here, or one actor
            for every core of a Ray cluster. Slurm has to be told.

    Yields:
        `Planned` first, `Done` last, and what happens between.

    Raises:
        SepcliError: before any work, if something must be refused; and if all workers die before
            they have begun anything.
    """
    given = policy or Policy()
    # Failures are counted over all workers.
    alone = replace(given, max_failures=None)
    duty = Duty(plan.path.absolute(), plan.digest, Path.cwd(), alone)
    with ExitStack() as stack:
        stack.enter_context(batch_lock(Path(plan.options.output), Identity(plan.digest, shard)))
        crew = crew_of(kind, duty, plan, shard, workers)
        if kind == "slurm":
            stack.close()  # nobody else is there; from here on each job has a lock of its own
        yield from supervise(plan, rows_of(plan, shard), crew, given)


def crew_of(kind: Kind, duty: Duty, plan: Plan, shard: Shard | None, workers: int | None) -> Crew:
    """The workers of a launcher, which are not there before it is entered."""
    gpus = (duty.policy.device or plan.options.device) in ("auto", "cuda")
    if kind == "local":
        return LocalCrew(duty, workers, gpus)
    if kind == "ray":
        return RayCrew(duty, workers, gpus)
    if workers is None:
        raise UsageError("--launcher slurm needs a number of jobs", "give --workers")
    return SlurmCrew(duty, workers, Path(plan.options.output), shard)
