"""`sepcli train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    config: Annotated[Path, typer.Argument(help="A training config, see examples/.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The run's folder.")],
) -> None:
    """Train a model from a YAML config; the same command goes on after a break.

    The run's folder then is a model: sepcli separate --model FOLDER.

    Examples:

    \b
        sepcli train examples/train_clap.yaml --out runs/clap
        sepcli train examples/train_separator.yaml --out runs/separator
    """
    import sys

    from tqdm import tqdm

    from sepcli.training.config import load_config
    from sepcli.training.recipe import train as run

    read = load_config(config)
    with tqdm(run(read, out), unit="step", mininterval=5, file=sys.stderr) as steps:
        for figures in steps:
            shown = {name: f"{value:.3f}" for name, value in figures.items()}
            steps.set_postfix(shown, refresh=False)
