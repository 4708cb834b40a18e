"""`sepcli info`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def info(
    file: Annotated[Path, typer.Argument(help="A recording or a stem.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what a recording is and, for a stem, what it was made with.

    Examples:

    \b
        sepcli info separated/mix.dog-barking.wav
        sepcli info --json mix.wav
    """
    from sepcli.audio.reader import probe
    from sepcli.separation.provenance import read

    found = probe(file)
    facts = {
        "path": str(file),
        "container": found.encoding.container,
        "encoding": found.encoding.subtype,
        "sample_rate": found.rate,
        "channels": found.channels,
        "seconds": round(found.seconds, 6),
        "samples": found.samples,
        "made_by": read(file),
    }
    if as_json:
        typer.echo(json.dumps(facts, indent=1, ensure_ascii=False))
        return
    made = facts.pop("made_by")
    for key, value in facts.items():
        typer.echo(f"{key.replace('_', ' '):12} {value}")
    if isinstance(made, dict):
        for key, value in made.items():
            typer.echo(f"sepcli {key:12} {value}")
    else:
        typer.echo("not made by sepcli")
