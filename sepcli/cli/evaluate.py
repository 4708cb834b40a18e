"""`sepcli eval`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sepcli.cli.separate_options import DeviceName, ProgressKind

HELP = """Score separated sounds against references, with confidence intervals.

Scores a model (--model, the default one if left out), stems that another tool made
(--estimates), or those of a plan (--plan), on a known data set (--dataset), or on any folder of
references (--refs).
Every report names its protocol, which fixes what the figures mean.

Exit codes: 0 all scored, 1 some items failed or a --fail-under was missed, 2 usage, 3 model,
4 out of memory, 5 disk.

Examples:

\b
    sepcli eval --dataset demo
    sepcli eval --dataset musdb --root ~/musdb18hq
    sepcli eval --dataset musdb --estimates stems/ --jobs 8 --resume
    sepcli eval --refs truth/ --estimates stems/ --protocol folder/bss-v3
    sepcli eval --plan plan.jsonl --references truth/
    sepcli eval --dataset demo --fail-under sdri=7 --json
    sepcli eval compare evaluations/a evaluations/b
"""

app = typer.Typer(no_args_is_help=False, invoke_without_command=True, help=HELP)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Backend(StrEnum):
    """Whose code computes BSS Eval."""

    sepcli = "sepcli"
    mir_eval = "mir_eval"
    museval = "museval"


@app.callback()
def evaluate(
    context: typer.Context,
    dataset: Annotated[
        str | None, typer.Option(help="A data set's name, see `sepcli eval datasets`.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Its folder; looked for in SEPCLI_DATA if left out.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Of the data set; its test split.")] = None,
    refs: Annotated[
        Path | None,
        typer.Option(
            "--refs",
            "--references",
            help="A folder of references: ITEM/STEM.wav, mixture.wav; of a plan, also "
            "ITEM.QUERY.wav.",
        ),
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(help="Score the stems of a plan that was separated.")
    ] = None,
    estimates: Annotated[
        Path | None, typer.Option(help="A folder of stems to score, matched by name.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="A model's name or folder, to score.")
    ] = None,
    registry: Annotated[
        Path | None,
        typer.Option(envvar="SEPCLI_REGISTRY", help="A registry that goes before the others."),
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(help="What figures mean, see `sepcli eval protocols`.")
    ] = None,
    metrics: Annotated[
        str | None, typer.Option(help="Comma-separated, in place of the protocol's.")
    ] = None,
    stems: Annotated[
        str | None, typer.Option(help="Comma-separated: score only these stems.")
    ] = None,
    backend: Annotated[
        Backend, typer.Option(help="Whose code computes BSS Eval, to compare.")
    ] = Backend.sepcli,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=0, help="Worker processes; one per core.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Score only so many items: no benchmark result.")
    ] = None,
    no_references: Annotated[
        bool, typer.Option("--no-references", help="Leave mixture, silence and oracle rows out.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="Folder of the run; evaluations/DATASET.SYSTEM if left out."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was stopped.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a run that is there.")
    ] = False,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=VALUE", help="Exit with 1 if a mean is lower; repeatable."),
    ] = None,
    device: Annotated[DeviceName, typer.Option(help="Where a model computes.")] = DeviceName.auto,
    as_json: Json = False,
    progress: Annotated[
        ProgressKind, typer.Option(help="How progress is shown, on standard error.")
    ] = ProgressKind.auto,
) -> None:
    if context.invoked_subcommand is not None:
        return
    from sepcli.cli.evaluate_display import display_for, show
    from sepcli.evaluation import plan as planning
    from sepcli.evaluation.options import EvalOptions
    from sepcli.evaluation.outcome import finish

    options = EvalOptions(
        dataset=dataset,
        root=root,
        split=split,
        refs=refs,
        plan=plan,
        estimates=estimates,
        model=model,
        registry=registry,
        protocol=protocol,
        metrics=split_list(metrics),
        stems=split_list(stems),
        backend=backend.value,
        jobs=jobs,
        limit=limit,
        references=not no_references,
        report=report,
        resume=resume,
        overwrite=overwrite,
        fail_under=tuple(fail_under or ()),
        device=device.value,
    )
    planned = planning.plan(options)
    with display_for(progress.value) as display:
        for note in planned.about.notes:
            display.note(note)
        for event in planned.evaluation.run():
            display.read(event)
        display.note("writing the report")
        outcome = finish(planned)
    show(outcome, as_json)
    raise typer.Exit(outcome.exit_code)


evaluate.__doc__ = HELP


def split_list(text: str | None) -> tuple[str, ...] | None:
    """Comma-separated names; None if there are none."""
    if text is None:
        return None
    return tuple(part.strip() for part in text.split(",") if part.strip())


@app.command("compare")
def compare(
    run_a: Annotated[Path, typer.Argument(help="A run's folder.")],
    run_b: Annotated[Path, typer.Argument(help="Another one, or a published CSV of tracks.")],
    columns: Annotated[
        str | None, typer.Option(help="Comma-separated columns; all they share if left out.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Compare runs of different protocols.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare two runs item by item: difference with its interval, paired tests, effect size.

    Examples:

    \b
        sepcli eval compare evaluations/demo.everyday evaluations/demo.mine
        sepcli eval compare evaluations/moisesdb.mine published.csv --columns sdr
        sepcli eval compare evaluations/moisesdb.mine 'published.csv#htdemucs'
    """
    from sepcli.cli.evaluate_display import show_comparison
    from sepcli.evaluation.compare import compare_runs
    from sepcli.evaluation.runs import read_run

    runs = read_run(run_a), read_run(run_b)
    show_comparison(compare_runs(*runs, split_list(columns), force), as_json)


@app.command("check")
def check(
    estimates: Annotated[Path, typer.Argument(help="A folder of stems.")],
    refs: Annotated[Path | None, typer.Option(help="A folder of references.")] = None,
    dataset: Annotated[str | None, typer.Option(help="A data set's name.")] = None,
    root: Annotated[Path | None, typer.Option(help="Its folder.")] = None,
    split: Annotated[str | None, typer.Option(help="Of the data set.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Look at so many items.")] = None,
    as_json: Json = False,
) -> None:
    """Look for what makes scores meaningless: delays, swaps, gains, clipping, wrong lengths.

    Exit codes: 0 nothing found, or warnings only; 1 an error was found.

    Examples:

    \b
        sepcli eval check stems/ --refs truth/
        sepcli eval check stems/ --dataset musdb --root ~/musdb18hq
    """
    from sepcli.cli.evaluate_display import show_findings
    from sepcli.evaluation.check_estimates import check_estimates
    from sepcli.evaluation.options import EvalOptions

    options = EvalOptions(
        dataset=dataset, root=root, split=split, refs=refs, estimates=estimates, limit=limit
    )
    findings = list(check_estimates(options))
    show_findings(findings, as_json)
    raise typer.Exit(1 if any(found.severity == "error" for found in findings) else 0)


@app.command("datasets")
def datasets(as_json: Json = False) -> None:
    """List the data sets that can be named, what their folders look like, and how to get them.

    Examples:

    \b
        sepcli eval datasets
        sepcli eval datasets --json
    """
    from sepcli.cli.evaluate_display import show_list
    from sepcli.evaluation.listing import list_datasets

    show_list(list_datasets(), as_json)


@app.command("metrics")
def metrics(as_json: Json = False) -> None:
    """List the metrics, their columns and units.

    Examples:

    \b
        sepcli eval metrics
        sepcli eval metrics --json
    """
    from sepcli.cli.evaluate_display import show_list
    from sepcli.evaluation.listing import list_metrics

    show_list(list_metrics(), as_json)


@app.command("protocols")
def protocols(as_json: Json = False) -> None:
    """List the protocols: everything that decides what a figure means.

    Examples:

    \b
        sepcli eval protocols
        sepcli eval protocols --json
    """
    from sepcli.cli.evaluate_display import show_list
    from sepcli.evaluation.listing import list_protocols

    show_list(list_protocols(), as_json)
