"""`sepcli data mine`: single events in long recordings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sepcli.training.corpora.mine import Failed, Harvest, Mined

NO_SEPARATOR = "none"


def mine(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help="Recordings, folders or globs.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Manifest to write, .jsonl or .parquet.")
    ],
    labels: Annotated[str, typer.Option(help="What to look for, parted by commas.")] = "",
    label_list: Annotated[
        Path | None,
        typer.Option(help="The same, a label a line, or a CSV with display_name or label."),
    ] = None,
    ontology: Annotated[
        Path | None, typer.Option(help="YAML of which labels are alike; ours if left out.")
    ] = None,
    clap: Annotated[
        str, typer.Option(help="What hears: a CLAP's run folder, or model:NAME.")
    ] = "model:everyday",
    separator: Annotated[
        str,
        typer.Option(help=f"Model that must answer with the segment; {NO_SEPARATOR} to not ask."),
    ] = "everyday",
    agreement: Annotated[
        float, typer.Option(min=-1, max=1, help="Least cosine of segment and label.")
    ] = 0.45,
    margin: Annotated[
        float, typer.Option(min=0, help="Least log odds against the next unlike label.")
    ] = 1.0,
    stability: Annotated[
        float, typer.Option(min=0, max=1, help="Least share of a segment's seconds that agree.")
    ] = 0.75,
    share: Annotated[
        float, typer.Option(min=0, max=1, help="Least share of energy in the separator's answer.")
    ] = 0.9,
    above_floor: Annotated[
        float, typer.Option(min=1, help="Level above the noise floor, dB.")
    ] = 10.0,
    gap: Annotated[
        float, typer.Option(min=0, help="Longest pause inside an event, seconds.")
    ] = 0.25,
    min_seconds: Annotated[float, typer.Option(min=0.1, help="Shortest segment.")] = 0.5,
    max_seconds: Annotated[
        float, typer.Option(min=0.2, help="Longest segment; longer events are cut.")
    ] = 5.0,
    licence: Annotated[str, typer.Option(help="Of the recordings.")] = "unknown",
    recursive: Annotated[bool, typer.Option("--recursive", help="Look into subfolders.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Find segments of long recordings that hold a single sound, and label them.

    What stands above a recording's noise floor is heard by a CLAP, as a whole and second by
    second, and given to a separator that is asked for the label. Kept are segments on which all
    agree; the manifest lists them for training, and OUT.scores.jsonl tells how sure it is.

    Exit codes: 0 all searched, 1 a recording could not be read, 2 usage, 3 no such model, 5 the
    disk is full or read-only.

    Examples:

    \b
        sepcli data mine field/ --labels dog,rain,speech -o mined.jsonl
        sepcli data mine day1.flac day2.flac --label-list wanted.txt -o mined.jsonl --share 0.95
        sepcli data mine field/ --recursive --labels bird -o birds.jsonl --separator none
    """
    from sepcli.query.labels import wanted_labels
    from sepcli.registry.load import load
    from sepcli.registry.store import Registry
    from sepcli.training.corpora.mine import Harvest
    from sepcli.training.corpora.mine import mine as search
    from sepcli.training.corpora.mine_activity import Activity
    from sepcli.training.corpora.mine_judge import Criteria, Judge
    from sepcli.training.corpora.mine_plan import recordings_of
    from sepcli.training.ontology import Ontology
    from sepcli.training.teacher import load_teacher

    wanted = wanted_labels(labels, label_list)
    recordings = recordings_of(inputs, recursive, output)
    activity = Activity(above_floor, gap, min_seconds, max_seconds)
    criteria = Criteria(agreement, margin, stability, share)
    asked = None if separator == NO_SEPARATOR else load(Registry().find(separator))
    judge = Judge(wanted, load_teacher(clap), Ontology.read(ontology), criteria, asked)
    harvest = Harvest()
    for outcome in search(recordings, judge, activity):
        harvest.add(outcome)
        say(outcome)
    harvest.write(output, licence)
    show(harvest, output, as_json)
    if harvest.failed:
        raise typer.Exit(1)


def say(outcome: Mined | Failed) -> None:
    """A line on standard error for a recording."""
    from sepcli.cli.voice import printable
    from sepcli.training.corpora.mine import Mined

    if isinstance(outcome, Mined):
        told = f"{len(outcome.kept)} of {len(outcome.judged)} segments kept"
    else:
        told = f"{outcome.error} (help: {outcome.error.remedy})"
    typer.echo(printable(f"{outcome.path}: {told}"), err=True)


def show(harvest: Harvest, output: Path, as_json: bool) -> None:
    """The summary."""
    summary = harvest.summary()
    if as_json:
        typer.echo(json.dumps(summary, indent=1, ensure_ascii=False))
        return
    typer.echo(
        f"{output}: {summary['kept']} of {summary['segments']} segments, "
        f"{summary['kept_seconds']} of {summary['seconds']} s, "
        f"from {summary['recordings']} recordings; {len(summary['failed'])} failed"
    )
    for title, counts in (("labels", summary["labels"]), ("missed", summary["missed"])):
        if counts:
            typer.echo(f"{title}: {', '.join(f'{name} {n}' for name, n in counts.items())}")
