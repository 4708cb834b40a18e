"""`sepcli do`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sepcli.cli.separate_options import Bits, DeviceName, Format, PrecisionName, ProgressKind

if TYPE_CHECKING:
    from sepcli.instructions.reading import Reading


def do(
    instruction: Annotated[str, typer.Argument(help="What to do, in quotes.")],
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="Recordings, folders, globs, manifests, or -."),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", help="The file to write, or a folder, or -.")
    ] = "separated",
    format: Annotated[
        Format | None, typer.Option(help="Container; the input's if lossless, else wav.")
    ] = None,
    bits: Annotated[Bits | None, typer.Option(help="Bit depth; the input's by default.")] = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Look into folders' folders.")
    ] = False,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="A model's name or folder.")
    ] = None,
    registry: Annotated[
        Path | None,
        typer.Option(envvar="SEPCLI_REGISTRY", help="A registry that goes before the others."),
    ] = None,
    device: Annotated[DeviceName, typer.Option(help="Where to compute.")] = DeviceName.auto,
    precision: Annotated[
        PrecisionName, typer.Option(help="Number format; auto is fp32.")
    ] = PrecisionName.auto,
    require_presence: Annotated[
        bool, typer.Option("--require-presence", help="Fail if a sound seems not to be there.")
    ] = False,
    skip_existing: Annotated[
        bool,
        typer.Option("--skip-existing", help="Leave mixes made from the same input and options."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show how the instruction is read, and stop.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write what became of every recording as JSON.")
    ] = None,
    progress: Annotated[
        ProgressKind, typer.Option(help="How progress is shown, on standard error.")
    ] = ProgressKind.auto,
) -> None:
    """Do to a recording what an instruction says, and write one mix.

    An instruction keeps, extracts, removes or mutes sounds, or makes them louder or quieter, by
    decibels or in words, in clauses joined by "and", "but" or commas. How it was read is shown
    first; what cannot be read is refused. Everything that is not named stays as it is, unless
    sounds are kept or extracted: then the rest goes.

    Exit codes: 0 all done, 1 some recordings failed, 2 usage, or an instruction that cannot be
    read, 3 model, 4 out of memory, 5 disk.

    Examples:

    \b
        sepcli do "remove the dog" walk.wav -o quiet.wav
        sepcli do "keep the speech and the rain" interview.flac
        sepcli do "turn the music down by 12 dB and the speech up by 3 dB" talk.mp4
        sepcli do "mute everything except the piano" take.wav --dry-run
        sepcli do "make the dialogue 6 dB louder" film.mp4 --model tiger-dnr
    """
    from sepcli.cli.separate_events import alone, tell
    from sepcli.instructions.reading import read_instruction
    from sepcli.registry.store import Registry
    from sepcli.separation.options import SeparateOptions
    from sepcli.separation.remix import remix
    from sepcli.separation.report import check_report
    from sepcli.separation.run import run

    check_report(report)
    reading = read_instruction(instruction)
    show(reading, progress)
    given = SeparateOptions(
        inputs=tuple(inputs),
        output=output,
        recursive=recursive,
        model=model,
        registry=registry,
        container=format.value if format else None,
        bits=bits.value if bits else None,
        device=device.value,
        precision=precision.value,
        require_presence=require_presence,
        skip_existing=skip_existing,
        overwrite=overwrite,
        dry_run=dry_run,
    )
    options = remix(given, reading, instruction, Registry(registry).find(model))
    raise typer.Exit(tell(alone(run(options), options), options, progress, report))


def show(reading: Reading, progress: ProgressKind) -> None:
    """The reading, on standard error: standard output may carry audio."""
    from sepcli.cli.voice import printable

    if progress is ProgressKind.json:
        rows = {name: line_gain(gain) for name, gain in reading.gains}
        event = {"event": "Reading", "gains_db": rows, "rest_db": line_gain(reading.rest)}
        print(json.dumps(event, ensure_ascii=False), file=sys.stderr, flush=True)
    elif progress is not ProgressKind.none:
        for line in reading.lines():
            print(f"  {printable(line)}", file=sys.stderr)


def line_gain(gain: float) -> float | None:
    """A gain in JSON, which knows no infinity: None is removed."""
    return None if gain == float("-inf") else gain
