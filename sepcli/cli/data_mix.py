"""`sepcli data mix`."""

from __future__ import annotations

import sys
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sepcli.cli.voice import Voice
from sepcli.errors import UsageError

if TYPE_CHECKING:
    from sepcli.training.mixing.manifest import Recipe
    from sepcli.training.mixing.written import Stock

SHOWN = 5  # problems on the terminal


class SplitName(StrEnum):
    """Of a corpus."""

    train = "train"
    validation = "validation"
    test = "test"


class FormName(StrEnum):
    """Of rendered files."""

    wav = "wav"
    flac = "flac"


class LicenceChoice(StrEnum):
    """What may be mixed."""

    any = "any"
    shippable = "shippable"
    permissive = "permissive"


def mix(
    folder: Annotated[Path, typer.Argument(help="Where the manifest is, or goes.")],
    corpus: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND:ROOT", help="What to mix; repeatable. Kinds: see prepare."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="A training config: mix its corpora and licences.")
    ] = None,
    split: Annotated[SplitName, typer.Option(help="Of the clips.")] = SplitName.train,
    count: Annotated[int, typer.Option(min=1, help="Mixtures.")] = 1000,
    sources: Annotated[
        tuple[int, int], typer.Option(metavar="FEWEST MOST", help="In a mixture.")
    ] = (2, 5),
    seconds: Annotated[float, typer.Option(help="Of a mixture.")] = 4.0,
    rate: Annotated[int, typer.Option(min=8000, help="Of a mixture, Hz.")] = 44_100,
    snr: Annotated[
        tuple[float, float],
        typer.Option(metavar="LOW HIGH", help="dB of a source against the first one."),
    ] = (-5.0, 5.0),
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    licences: Annotated[
        LicenceChoice, typer.Option(help="What may be mixed; a config has its own.")
    ] = LicenceChoice.any,
    ontology: Annotated[
        Path | None, typer.Option(help="Names and kinship of labels; a config has its own.")
    ] = None,
    parquet: Annotated[
        bool, typer.Option("--parquet", help="Write Parquet, not JSON lines.")
    ] = False,
    render: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the mixtures as files, too.")
    ] = None,
    form: Annotated[
        FormName, typer.Option("--format", help="Of the files: float32 WAV or 24-bit FLAC.")
    ] = FormName.wav,
) -> None:
    """Write down mixtures of single sounds, with a seed, and render them.

    FOLDER/SPLIT/data.jsonl has a row for every mixture, in Hive's schema: its clips with crops,
    gains, SNRs and labels, and the normalisation. No two sounds of one kind meet. Without --corpus
    and --config, a manifest that is there is rendered, Hive's own, too: DIR/NAME/mixture.wav, and
    s1.wav, s2.wav, ..., which sum to it. What is rendered already is left alone.

    The manifest is a data set: sepcli eval --dataset hive --root FOLDER.

    Exit codes: 0 all done, 1 clips or mixtures were left out, 2 usage, 5 disk.

    Examples:

    \b
        sepcli data mix mixtures --corpus class-folders:my/sounds --count 100 --seconds 10
        sepcli data mix mixtures --config examples/train_mini.yaml --split validation --seed 1
        sepcli data mix mixtures --render mixtures/files --format flac
    """
    from sepcli.training.mixing.manifest import Recipe

    refuse_ranges(sources, seconds, snr)
    recipe = Recipe(split.value, count, sources, seconds, rate, snr, seed)
    complete = True
    if corpus or config:
        stock = stock_of(corpus or [], config, licences.value, ontology)
        complete = draw(folder, stock, recipe, ".parquet" if parquet else ".jsonl")
    elif render is None:
        raise UsageError("nothing to mix", "give --corpus or --config, or --render what is there")
    if render is not None:
        complete = rendered(folder, split.value, render, form.value) and complete
    if not complete:
        raise typer.Exit(1)


def refuse_ranges(sources: tuple[int, int], seconds: float, snr: tuple[float, float]) -> None:
    """Raise UsageError if numbers make no sense together."""
    if not 1 <= sources[0] <= sources[1]:
        message = f"--sources {sources[0]} {sources[1]} is no range of at least one"
        raise UsageError(message, "give the fewest first, as in --sources 2 5")
    if not snr[0] <= snr[1]:
        message = f"--snr {snr[0]:g} {snr[1]:g} is no range"
        raise UsageError(message, "give the lowest first, as in --snr -5 5")
    if not seconds >= 0.1:
        raise UsageError(f"--seconds {seconds:g} is too short", "give at least 0.1")


def stock_of(
    corpora: list[str], config: Path | None, licences: str, ontology: Path | None
) -> Stock:
    """What to mix, from the command line or a config."""
    from sepcli.training.load_config import load_config
    from sepcli.training.mixing.written import Stock, corpus_of

    if config is None:
        return Stock([corpus_of(text) for text in corpora], licences, ontology)
    if corpora:
        raise UsageError("--corpus and --config are given", "give one of them")
    return Stock.of(load_config(config))


def draw(folder: Path, stock: Stock, recipe: Recipe, suffix: str) -> bool:
    """Write the manifest; whether all clips could be heard."""
    from tqdm import tqdm

    from sepcli.training.mixing.written import draw_manifest

    broken: list[str] = []
    drawn = draw_manifest(folder, stock, recipe, suffix, lambda _, error: broken.append(str(error)))
    for _ in tqdm(drawn, total=recipe.count, unit="mixture", file=sys.stderr, leave=False):
        pass
    typer.echo(f"{folder / recipe.split / f'data{suffix}'}: {recipe.count} mixtures")
    return told(broken, "clips cannot be heard, and were left out")


def rendered(folder: Path, split: str, out: Path, form: str) -> bool:
    """Render the manifest; whether all of it could be."""
    from tqdm import tqdm

    from sepcli.training.mixing.render import render

    counts: Counter[str] = Counter()
    failed: list[str] = []
    for row in tqdm(render(folder, split, out, form), unit="mixture", file=sys.stderr, leave=False):
        counts[row.state] += 1
        if row.error is not None:
            failed.append(f"{row.name}: {row.error}")
    typer.echo(f"{out}: {counts['written']} mixtures written, {counts['there']} were there")
    return told(failed, "mixtures could not be rendered")


def told(problems: list[str], what: str) -> bool:
    """Say the first problems and how many there are; whether there are none."""
    for line in problems[:SHOWN]:
        Voice().say(line)
    if problems:
        Voice().say(f"{len(problems)} {what}")
    return not problems
