"""`sepcli data`: corpora to train on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sepcli.cli.data_midi import render_midi
from sepcli.cli.data_mine import mine
from sepcli.cli.data_mix import mix
from sepcli.cli.data_prepare import prepare

app = typer.Typer(no_args_is_help=True, help="Make corpora to train on.")


app.command("prepare")(prepare)
app.command("render-midi")(render_midi)
app.command("mix")(mix)
app.command("mine")(mine)


@app.command("synthesise")
def synthesise(
    folder: Annotated[Path, typer.Argument(help="Where the class folders go.")],
    per_label: Annotated[
        int, typer.Option(min=1, help="Files for every instrument and every voice.")
    ] = 24,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
) -> None:
    """Make music and speech with FluidSynth and flite, which must be installed.

    Files that are there already are left alone.

    Examples:

    \b
        sepcli data synthesise corpora/synthetic
        sepcli data synthesise corpora/more --per-label 100 --seed 1
    """
    import sys

    from tqdm import tqdm

    from sepcli.training.ontology import Ontology
    from sepcli.training.synthesis import synthesise as make

    words = Ontology.load().words()
    for _ in tqdm(make(folder, words, per_label, seed), unit="file", file=sys.stderr):
        pass
    typer.echo(str(folder))
