"""`sepcli plan`."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sepcli.cli.separate_options import StemOptions, with_stem_options

if TYPE_CHECKING:
    from sepcli.batch.plan_file import PlanWriter
    from sepcli.batch.plan_header import Header

HELP = """Plan a large batch: a row for every recording, to be separated by any number of workers.

The plan has the options of the separation, and for each recording its duration, sample rate,
channels, a hash of its content, the queries, and where its stems go. It is printed, or written
to a file with --to: as JSON lines, or as Parquet if the name ends in .parquet (which needs
"sepcli[hive]"). `sepcli separate --plan` separates it, whole or in parts, and goes on where it
was stopped; `sepcli eval --plan` scores what came out.

All that `sepcli separate` refuses before it starts is refused here. Recordings that cannot be
read are named and left out. Relative paths count from the folder where the plan is used.

Exit codes: 0 all planned, 1 some recordings cannot be read, 2 usage, 3 model, 5 disk.

Examples:

\b
    sepcli plan field/ --recursive -q "bird song" -q wind -o stems > plan.jsonl
    sepcli plan list.csv --residual --to plan.parquet
    sepcli separate --plan plan.jsonl --workers 4
    sepcli separate --plan plan.jsonl --shard 3/8
"""

TELL_SECONDS = 10.0  # between two lines on how far it is


@with_stem_options
def plan(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="Recordings, folders, globs or manifests."),
    ],
    given: StemOptions,
    to: Annotated[
        Path | None, typer.Option(help="Write the plan to this file, .jsonl or .parquet.")
    ] = None,
) -> None:
    from sepcli.batch.plan_row import Row
    from sepcli.batch.planning import Planning
    from sepcli.cli.display import display_for
    from sepcli.separation.plan import Rejected
    from sepcli.separation.run import refusal

    if to:
        check_target(to)
    planning = Planning(given.read(inputs))
    tally = Tally()
    with ExitStack() as stack:
        display = stack.enter_context(display_for("plain", dry_run=True))
        writer = stack.enter_context(writing(to, planning.header))
        for item in planning.items():
            if isinstance(item, Row):
                writer.add(item)
                tally.add(item.job.seconds)
            elif isinstance(item, Rejected):
                tally.rejected += 1
                display.read(refusal(item))
            else:
                display.read(item)
    tally.tell()
    raise typer.Exit(1 if tally.rejected else 0)


plan.__doc__ = HELP


class Tally:
    """Counts what was planned, and says so from time to time, on standard error."""

    def __init__(self) -> None:
        self.rejected = 0
        self._rows, self._seconds, self._last = 0, 0.0, time.monotonic()

    def add(self, seconds: float) -> None:
        """Take in a row."""
        self._rows += 1
        self._seconds += seconds
        if time.monotonic() - self._last > TELL_SECONDS:
            self._last = time.monotonic()
            self.tell()

    def tell(self) -> None:
        """Say how far it is."""
        from sepcli.cli.display import clock

        text = f"{self._rows} planned, {clock(self._seconds)}, {self.rejected} cannot be separated"
        typer.echo(text, err=True)


def check_target(path: Path) -> None:
    """Refuse a place that a plan cannot be written to, before any recording is read.

    Raises:
        UsageError
    """
    from sepcli.errors import UsageError

    if path.suffix.lower() not in (".jsonl", ".parquet") or path.is_dir():
        raise UsageError(f"{path} is no name for a plan", "end --to in .jsonl or .parquet")
    if path.suffix.lower() == ".parquet":
        from sepcli.parquet_file import pyarrow

        pyarrow(path, "pyarrow.parquet")


def writing(path: Path | None, header: Header) -> AbstractContextManager[PlanWriter]:
    """What writes the plan to a file, or to standard output.

    Raises:
        OutputError: when it is used, if the disk is full or read-only.
    """
    from sepcli.batch.plan_file import new_plan, printed_plan

    return new_plan(path, header) if path else printed_plan(sys.stdout.buffer, header)
