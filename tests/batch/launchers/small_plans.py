"""What the tests of the launchers share."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from sepcli.batch.launchers.crew import Duty, Rows
from sepcli.batch.plan_file import Plan, new_plan, read_plan
from sepcli.batch.plan_row import Row
from sepcli.batch.planning import Planning
from sepcli.batch.worker import Policy
from sepcli.separation.events import Done, Event, Failed, Finished, Skipped, Started
from sepcli.separation.options import SeparateOptions
from sepcli.separation.queries import text_query

RATE = 8000
# For jobs and actors, which unpickle the duties below by the name of this module.
PYTHONPATH = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])


def planned(output: str, **options: object) -> Plan:
    """A plan for all recordings in the folder `in`, written and opened."""
    given = SeparateOptions(("in",), (text_query("rain"),), output=output, device="cpu")
    planning = Planning(replace(given, **options))  # type: ignore[arg-type]
    path = Path(f"{output}.jsonl")
    with new_plan(path, planning.header) as writer:
        for row in planning.items():
            assert isinstance(row, Row)
            writer.add(row)
    return read_plan(path)


def duty_for(plan: Plan, kind: type[Duty] = Duty, **more: object) -> Duty:
    """What the workers of a test are told."""
    return kind(plan.path.absolute(), plan.digest, Path.cwd(), Policy(), **more)


@dataclass(frozen=True)
class Deadly(Duty):
    """A duty during which some recordings kill the worker that starts them.

    Attributes:
        always: name of one that kills every worker.
        once: name of one that kills the first.
    """

    always: str = ""
    once: str = ""

    def begin(self) -> Callable[[Rows], Generator[Event]]:
        do = super().begin()

        def work(rows: Rows) -> Generator[Event]:
            for event in do(rows):
                yield event
                if isinstance(event, Started) and self._kills(Path(event.path).name):
                    os.kill(os.getpid(), signal.SIGKILL)

        return work

    def _kills(self, name: str) -> bool:
        mark = Path("killed once")
        if name == self.once and not mark.exists():
            mark.touch()
            return True
        return name == self.always


@dataclass(frozen=True)
class Stillborn(Duty):
    """A duty that nobody survives."""

    def begin(self) -> Callable[[Rows], Generator[Event]]:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def fates(events: Iterable[Event]) -> dict[str, Counter[str]]:
    """Name of every recording -> how often it was finished, skipped or failed."""
    told: dict[str, Counter[str]] = {}
    for event in events:
        if isinstance(event, (Finished, Skipped, Failed)):
            counter = told.setdefault(Path(event.path).name, Counter())
            counter[type(event).__name__] += 1
    return told


def outcome(events: list[Event]) -> Done:
    """The last event."""
    assert isinstance(events[-1], Done)
    return events[-1]


def stems(output: str = "out") -> dict[str, bytes]:
    """All files that are there, but hidden ones, with their content."""
    return {p.name: p.read_bytes() for p in sorted(Path(output).glob("[!.]*"))}


def leftovers(output: str = "out") -> list[str]:
    """Hidden files of the kind that a kill leaves."""
    return [path.name for path in Path(output).rglob(".sepcli-partial-*")]


def survivors(session: int, patience: float = 20.0) -> list[str]:
    """Processes of a session that are alive when those that were about to end have ended."""
    end = time.monotonic() + patience
    while (alive := running(session)) and time.monotonic() < end:
        time.sleep(0.05)
    return alive


def running(session: int) -> list[str]:
    """Processes of a session that are alive."""
    listed = subprocess.run(
        ["ps", "-o", "stat=,args=", "-s", str(session)], capture_output=True, text=True, check=False
    )
    return [line for line in listed.stdout.splitlines() if not line.startswith("Z")]
