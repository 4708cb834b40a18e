"""`sepcli train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sepcli.cli.default_command import UNNAMED, DefaultGroup, UnnamedCommand
from sepcli.cli.separate_options import DeviceName, ProgressKind

RUNS = Path("runs")  # where runs go that are given no folder

app = typer.Typer(cls=DefaultGroup, no_args_is_help=True, help="Train a model from a YAML config.")

ConfigFile = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="A training config, see examples/.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--override",
        "-o",
        metavar="KEY=VALUE",
        help="Change a key, such as steps=200 or loop.ema=0.99; repeatable.",
    ),
]


@app.command(UNNAMED, cls=UnnamedCommand)
def train(
    config: ConfigFile,
    override: Overrides = None,
    out: Annotated[
        Path | None, typer.Option(help="The run's folder; runs/NAME-OF-CONFIG if left out.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was stopped.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be trained, and on what.")
    ] = False,
    device: Annotated[DeviceName, typer.Option(help="Where to train.")] = DeviceName.auto,
    progress: Annotated[
        ProgressKind, typer.Option(help="How progress is shown, on standard error.")
    ] = ProgressKind.auto,
) -> None:
    """Train a model from a YAML config.

    The run's folder holds the config, logs, curves, checkpoints and, at the end, the model:
    sepcli separate --model FOLDER. After a break, the same command goes on with --resume. Under
    torchrun all processes train one model, and the first one speaks.

    Relative paths in a config start from the config's folder, also those given with -o.

    Exit codes: 0 trained, 1 diverged or a recording could not be read, 2 usage, config or corpus,
    3 model, 4 out of memory, 5 disk.

    Examples:

    \b
        sepcli train examples/train_mini.yaml -o steps=200
        sepcli train examples/train_mini.yaml --dry-run
        sepcli train examples/train_separator.yaml --out runs/separator --resume
        torchrun --nproc-per-node 2 -m sepcli train examples/train_mini.yaml
        sepcli train validate examples/train_mini.yaml
        sepcli train plot runs/train_mini
    """
    from sepcli.cli.torchrun import first_speaks, is_first
    from sepcli.cli.train_display import display_for
    from sepcli.training import recipe
    from sepcli.training.load_config import load_config
    from sepcli.training.plan import describe
    from sepcli.training.resume import refuse_to_overwrite

    folder = out or RUNS / config.stem
    with first_speaks(), display_for(progress.value if is_first() else "none") as display:
        read = load_config(config, override or ())
        if dry_run:
            typer.echo(describe(recipe.prepare(read)))
            return
        if is_first():
            refuse_to_overwrite(folder, read, resume)
        for event in recipe.train(read, folder, device.value):
            display.read(event)
    if is_first():
        typer.echo(folder)


@app.command("validate")
def validate(config: ConfigFile, override: Overrides = None) -> None:
    """Check a config without data or weights, and tell all its errors at once.

    Exit codes: 0 it is right, 2 it is not.

    Examples:

    \b
        sepcli train validate examples/train_separator.yaml
        sepcli train validate examples/train_mini.yaml -o objective.name=weak -o mixing.parts=2
    """
    from sepcli.training.load_config import load_config

    load_config(config, override or ())
    typer.echo(f"{config}: a valid config")


@app.command("plot")
def plot(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of a run, finished or not.")
    ],
) -> None:
    """Draw a run's losses and validation figures, from its log, as a PNG in its folder.

    Examples:

    \b
        sepcli train plot runs/train_mini
    """
    from sepcli.training.load_config import read_run_config
    from sepcli.training.loop.curves import plot as draw

    read_run_config(run)
    typer.echo(draw(run))
