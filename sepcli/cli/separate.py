"""`sepcli separate`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sepcli.cli.separate_options import ProgressKind, StemOptions, with_stem_options

if TYPE_CHECKING:
    from sepcli.batch.plan_file import Plan
    from sepcli.batch.worker import Policy
    from sepcli.separation.events import Event

HELP = """Take described sounds out of recordings.

INPUT is a recording (any format that libsndfile or FFmpeg decodes, video included), a folder,
a glob, a manifest (CSV or JSONL with path, query, start, end), or - for standard input.

Stems keep the recording's sample rate, channels, length, bit depth and tags. With --residual,
stems and residual sum to the recording.

With --plan, the recordings, the queries and where stems go are those of a plan that
`sepcli plan` made. What is done is remembered in the folder of the stems: the same command
goes on where it was stopped, and what failed is left out until --retry-failed is given.

Exit codes: 0 all done, 1 some recordings failed, 2 usage, 3 model, 4 out of memory, 5 disk, or
another batch writes to the folder.

Examples:

\b
    sepcli separate mix.wav --query "dog barking"
    sepcli separate street.flac -q speech -q "car horn" --compete --residual -o stems
    sepcli separate talk.mp4 --query "dog barking" --remove
    sepcli separate mix.wav --like example.wav
    sepcli separate mix.wav --like barks/
    sepcli separate mix.wav --like bark.safetensors
    sepcli separate field/ --auto --auto-limit 3
    sepcli separate mix.wav --span 3.5-6
    sepcli separate mix.wav --image dog.jpg
    sepcli separate talk.mp4 --image-from talk.mp4@12.5 --model clipsep
    sepcli separate film.mp4 --model tiger-dnr --stems dialogue --residual
    sepcli separate talk.wav --model tiger-speech --drop-silent
    sepcli separate field/ --recursive -q "bird song" --skip-existing --report report.json
    sepcli separate archive/ --recursive -q speech --compile
    sepcli separate --plan plan.jsonl --workers 4
    sepcli separate --plan plan.jsonl --shard 3/8
    ffmpeg -i talk.mkv -f wav - | sepcli separate - -o - --query speech > speech.wav
"""

OF_RUNS = ("device", "batch_size", "dry_run", "report", "progress")  # a plan does not fix them
OF_PLANS = ("shard", "launcher", "workers", "retry_failed", "max_failures", "deterministic")


class LauncherName(StrEnum):
    """Where a plan's workers run."""

    local = "local"
    slurm = "slurm"
    ray = "ray"


@with_stem_options
def separate(
    context: typer.Context,
    given: StemOptions,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT...",
            help="Recordings, folders, globs, manifests, or -.",
            show_default=False,
        ),
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(help="Separate what `sepcli plan` planned, in place of INPUT.")
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N",
            help="Only part I of N of the plan, from 0 to N-1; with /N or auto, the number comes "
            "from Slurm, AWS Batch, Kubernetes or torchrun.",
        ),
    ] = None,
    launcher: Annotated[
        LauncherName, typer.Option(help="Where the plan's workers run.")
    ] = LauncherName.local,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Of the plan; one for every GPU, or one.")
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try again what of the plan failed before.")
    ] = False,
    max_failures: Annotated[
        int | None, typer.Option(min=0, help="Stop if more than so many of the plan fail.")
    ] = None,
    deterministic: Annotated[
        bool,
        typer.Option("--deterministic", help="The same bytes however the plan is split; slower."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and print what would be written.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write what became of every recording as JSON.")
    ] = None,
    progress: Annotated[
        ProgressKind, typer.Option(help="How progress is shown, on standard error.")
    ] = ProgressKind.auto,
) -> None:
    from sepcli.cli.separate_events import alone, tell
    from sepcli.separation.report import check_report
    from sepcli.separation.run import run

    check_report(report)
    said = words_of(context)
    if plan is None:
        refuse_without_plan(said)
        options = given.read(inputs or [], dry_run)
        raise typer.Exit(tell(alone(run(options), options), options, progress, report))
    refuse_with_plan(said)
    from sepcli.batch.plan_file import read_plan
    from sepcli.batch.worker import Policy

    opened = read_plan(plan)
    policy = Policy(
        retry_failed,
        max_failures,
        deterministic,
        given.device.value if "device" in said else None,
        given.read([]).batch_size,
    )
    options = replace(opened.options, dry_run=dry_run)
    events = planned(opened, shard, policy, launcher, workers, dry_run)
    raise typer.Exit(tell(events, options, progress, report))


separate.__doc__ = HELP


def planned(
    plan: Plan,
    shard: str | None,
    policy: Policy,
    launcher: LauncherName,
    workers: int | None,
    dry_run: bool,
) -> Iterator[Event]:
    """What happens while a plan is separated, here or by workers elsewhere."""
    from sepcli.batch.launchers import launch
    from sepcli.batch.launchers.local import visible_gpus
    from sepcli.batch.shards import parse_shard
    from sepcli.batch.worker import preview, run_plan

    part = parse_shard(shard, os.environ) if shard else None
    if dry_run:
        return preview(plan, part, policy)
    if launcher is LauncherName.local and (workers or len(visible_gpus())) <= 1:
        return run_plan(plan, part, policy)
    return launch(launcher.value, plan, part, policy, workers)


def words_of(context: typer.Context) -> list[str]:
    """Names of the parameters that were written on the command line."""
    sources = ((name, context.get_parameter_source(name)) for name in context.params)
    return [name for name, source in sources if source and source.name == "COMMANDLINE"]


def refuse_without_plan(said: list[str]) -> None:
    """Refuse what only a plan can be separated with.

    Raises:
        UsageError
    """
    from sepcli.errors import UsageError

    if wrong := [name for name in said if name in OF_PLANS]:
        message = f"{spelt(wrong[0])} is for plans only"
        raise UsageError(message, "make one with `sepcli plan`, and give it with --plan")


def refuse_with_plan(said: list[str]) -> None:
    """Refuse what a plan has fixed.

    Raises:
        UsageError
    """
    from sepcli.errors import UsageError

    free = {"plan", *OF_PLANS, *OF_RUNS}
    if wrong := [name for name in said if name not in free]:
        message = f"the plan has fixed {spelt(wrong[0])} already"
        raise UsageError(message, "leave it out, or make another plan with `sepcli plan`")


def spelt(name: str) -> str:
    """A parameter as it is written on the command line."""
    return "INPUT" if name == "inputs" else "--" + name.replace("_", "-")
