"""`sepcli detect`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sepcli.query.detect import Sound
    from sepcli.separation.detection import Heard, Unheard

SHOWN_SPANS = 4  # of a sound, in the table


def detect(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="Recordings, folders, globs, manifests, or -."),
    ],
    labels: Annotated[str, typer.Option(help="What to listen for, parted by commas.")] = "",
    label_list: Annotated[
        Path | None,
        typer.Option(help="The same, a label a line, or a CSV with display_name or label."),
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=-1, max=1, help="Least score; 0.48 by default.")
    ] = None,
    top: Annotated[
        int | None, typer.Option(min=1, help="At most so many sounds of a recording.")
    ] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Look into folders' folders.")
    ] = False,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="The model whose encoder listens.")
    ] = None,
    registry: Annotated[
        Path | None,
        typer.Option(envvar="SEPCLI_REGISTRY", help="A registry that goes before the others."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, a line for each recording.")
    ] = False,
) -> None:
    """List what sounds are in recordings, and when.

    Windows of two seconds are compared with the names of AudioSet's 527 classes, or with your own,
    and the model says of the likeliest how sure it is that it could take them out. Of names that
    mean nearly the same the best is listed, and the others beside it. Where none reaches the
    threshold, the nearest are told. How often it is right, and how much it misses, is told in the
    documentation.

    Exit codes: 0 all were listened to, 1 a recording could not be read, 2 usage, 3 model.

    Examples:

    \b
        sepcli detect walk.wav
        sepcli detect field/ --recursive --labels "dog,church bell,speech" --json
        sepcli detect day.flac --label-list birds.txt --threshold 0.4
        sepcli detect night.wav --top 3
    """
    from contextlib import ExitStack

    from sepcli.query.detect import THRESHOLD
    from sepcli.query.labels import audioset_names, wanted_labels
    from sepcli.registry.store import Registry
    from sepcli.separation.detection import Unheard, listen, listener
    from sepcli.separation.streams import opened

    wanted = wanted_labels(labels, label_list) if labels or label_list else audioset_names()
    with ExitStack() as stack:
        sources = opened(tuple(inputs), recursive, stack)
        least = THRESHOLD if threshold is None else threshold
        ears = listener(Registry(registry).find(model), wanted, least)
        failed = False
        for outcome in listen(sources, ears):
            failed |= isinstance(outcome, Unheard)
            tell(outcome, top, as_json)
    raise typer.Exit(1 if failed else 0)


def tell(outcome: Heard | Unheard, top: int | None, as_json: bool) -> None:
    """One recording, on standard output; what is wrong with it, on standard error."""
    from sepcli.cli.voice import printable
    from sepcli.separation.detection import Unheard

    if isinstance(outcome, Unheard):
        typer.echo(printable(f"error: {outcome.error}"), err=True)
        typer.echo(printable(f"help: {outcome.error.remedy}"), err=True)
        return
    sounds, nearest = outcome.findings.sounds[:top], outcome.findings.nearest
    if as_json:
        near = [{"label": label, "score": round(score, 4)} for label, score in nearest]
        heard = [as_row(sound) for sound in sounds]
        row = {"path": str(outcome.path), "sounds": heard, "nearest": near}
        typer.echo(json.dumps(row, ensure_ascii=False))
        return
    typer.echo(printable(str(outcome.path)))
    for sound in sounds:
        typer.echo(printable(line(sound)))
    if not sounds:
        typer.echo("  no sound was recognised; a lower --threshold may list more")
    if nearest:
        names = "; ".join(f"{label} {score:.2f}" for label, score in nearest)
        typer.echo(printable(f"  nearest: {names}"))


def as_row(sound: Sound) -> dict[str, Any]:
    """A sound in JSON; times in seconds."""
    return {
        "label": sound.label,
        "score": round(sound.score, 4),
        "spans": [[round(start, 3), round(end, 3)] for start, end in sound.spans],
        "also": list(sound.also),
    }


def line(sound: Sound) -> str:
    """A sound in the table."""
    from sepcli.cli.display import clock

    times = [f"{clock(start)}-{clock(end)}" for start, end in sound.spans[:SHOWN_SPANS]]
    more = len(sound.spans) - SHOWN_SPANS
    when = ", ".join(times) + (f" and {more} more" if more > 0 else "")
    also = f"  (also {', '.join(sound.also)})" if sound.also else ""
    return f"  {sound.score:.2f}  {sound.label:24}  {when}{also}"
