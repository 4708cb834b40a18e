"""Separation from Python; the command line uses the same functions.

import sepcli

report = sepcli.separate("mix.wav", "dog barking", output="out")
for event in sepcli.stream(sepcli.SeparateOptions(inputs=("a.wav",), queries=(...,))):
    ...
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from sepcli.separation.events import Event
from sepcli.separation.options import SeparateOptions
from sepcli.separation.queries import Query, text_query
from sepcli.separation.report import Report
from sepcli.separation.run import run
from sepcli.separation.tqdm_display import TqdmDisplay


def stream(options: SeparateOptions) -> Generator[Event]:
    """Separate, yielding events: see `sepcli.separation.events`.

    Raises:
        SepcliError: for what is refused before any work, see `sepcli.errors`.
    """
    yield from run(options)


def separate(
    inputs: str | Path | Sequence[str | Path],
    queries: str | Query | Sequence[str | Query] = (),
    *,
    output: str | Path = "separated",
    progress: bool = True,
    **options: Any,
) -> Report:
    """Take described sounds out of recordings.

    Args:
        inputs: files, folders, globs or manifests.
        queries: descriptions of sounds, one stem each.
        output: folder of the stems.
        progress: show a bar, in a notebook or a terminal.
        options: any other field of `SeparateOptions`.

    Returns:
        what became of every recording; a failed one does not raise, see `Report.exit_code`.

    Raises:
        SepcliError: for what is refused before any work.
    """
    names = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    asked = [queries] if isinstance(queries, str | Query) else list(queries)
    given = SeparateOptions(
        inputs=tuple(str(name) for name in names),
        queries=tuple(q if isinstance(q, Query) else text_query(q) for q in asked),
        output=str(output),
        **options,
    )
    report = Report()
    with TqdmDisplay(enabled=progress) as display:
        for event in stream(given):
            report.read(event)
            display.read(event)
    return report
