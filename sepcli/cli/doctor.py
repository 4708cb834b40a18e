"""`sepcli doctor`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check what sepcli needs, with a remedy for whatever is wrong.

    Examples:

    \b
        sepcli doctor
        sepcli doctor --json
    """
    from sepcli.diagnosis import diagnose

    findings = list(diagnose())
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            typer.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.subject:10} {finding.found}")
            if not finding.ok:
                typer.echo(f"     help: {finding.remedy}")
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)
