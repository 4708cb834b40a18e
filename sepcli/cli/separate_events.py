"""What becomes of the events of a separation: shown, reported, and turned into an exit code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from sepcli.cli.separate_options import ProgressKind

if TYPE_CHECKING:
    from sepcli.separation.events import Event
    from sepcli.separation.options import SeparateOptions


def tell(
    events: Iterable[Event], options: SeparateOptions, progress: ProgressKind, report: Path | None
) -> int:
    """Show events as they happen.

    Args:
        events: of a separation.
        options: of the same.
        progress: how they are shown.
        report: where to write what became of every recording; None for nowhere.

    Returns:
        the exit code.

    Raises:
        OutputError: if the report cannot be written.
    """
    from sepcli.cli.display import display_for
    from sepcli.separation.events import Done
    from sepcli.separation.report import Report

    told, exit_code = Report(), 0
    with display_for(progress.value, options.dry_run) as display:
        for event in events:
            display.read(event)
            if report:  # which holds all recordings in memory
                told.read(event)
            if isinstance(event, Done):
                exit_code = event.exit_code
    if report:
        told.write(report, options)
    return exit_code


def alone(events: Iterable[Event], options: SeparateOptions) -> Iterator[Event]:
    """Events of a batch that keeps all others out of its folder, once everything was checked.

    Raises:
        OutputError: if another batch is there.
    """
    from sepcli.batch.lock import batch_lock, lone_batch
    from sepcli.separation.events import Planned
    from sepcli.separation.options import STREAM

    writes = options.output != STREAM and not options.dry_run
    with ExitStack() as stack:
        for event in events:
            if isinstance(event, Planned) and writes:
                stack.enter_context(batch_lock(Path(options.output), lone_batch()))
            yield event
