"""`sepcli data prepare`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sepcli.cli.voice import Voice

if TYPE_CHECKING:
    from sepcli.training.corpora.prepare import PrepareReport

CHOICES = ("any", "shippable", "permissive")  # of licences, beside lists of them
SHOWN = 5  # problems on the terminal
LOG_SECONDS = 10.0  # between two lines in a log


def prepare(
    name: Annotated[str, typer.Argument(help="What the folder holds, see above.")],
    root: Annotated[Path, typer.Option(help="The corpus's folder, or a manifest.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="FILE.jsonl or FILE.parquet; NAME.jsonl if left out."),
    ] = None,
    licences: Annotated[
        str,
        typer.Option(help="any, shippable, permissive, or licences with commas between them."),
    ] = "any",
    packages: Annotated[
        str | None,
        typer.Option(help="Of debian-sounds: only these, with commas between them."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write the manifest of a corpus: its files, with labels, captions, licences and splits.

    NAME is one of:

    \b
        esc10, esc50         meta/esc50.csv and audio/; esc10 also by a manifest.csv
        fsd50k               FSD50K.ground_truth/, FSD50K.metadata/, FSD50K.{dev,eval}_audio/
        audiocaps            annotations/{train,val,test}.csv, audio/VIDEO_SECOND.wav
        clotho               clotho_captions_development.csv, development/, ...
        vggsound             vggsound.csv or annotations/train.csv, audio/
        music                annotations/train.csv, audio/INSTRUMENT/
        musdb18, musdb18-hq  train/ and test/
        class-folders        LABEL/any.wav
        stems                RECORDING/LABEL.wav; a mixture.wav is left out
        sounds               manifest.csv with file, label, package, licence, ship
        debian-sounds        what the shipped model was trained on; first fetched into --root
        manifest             a manifest, to check it again

    Official splits are kept, and test items never train. Every file is decoded: missing, broken and
    silent ones are left out and listed in OUT.problems.jsonl; then the exit code is 1.

    Examples:

    \b
        sepcli data prepare fsd50k --root FSD50K -o corpora/fsd50k.jsonl
        sepcli data prepare class-folders --root my/sounds
        sepcli data prepare debian-sounds --root corpora/debian -o corpora/debian.jsonl
        sepcli data prepare debian-sounds --root corpora/free --licences permissive
    """
    from tqdm import tqdm

    from sepcli.training.corpora.prepare import prepare as run

    seconds = 0.1 if sys.stderr.isatty() else LOG_SECONDS
    with tqdm(unit="clip", file=sys.stderr, leave=False, mininterval=seconds) as bar:

        def decoded(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        def fetching(package: str) -> None:
            bar.set_description(package)

        report = run(
            name,
            root,
            out or Path(f"{name}.jsonl"),
            fetching,
            decoded,
            None if packages is None else split(packages),
            licences if licences in CHOICES else split(licences),
        )
    typer.echo(json.dumps(facts(report)) if as_json else summary(report))
    for line in troubles(report):
        Voice().say(line)
    if not report.complete:
        raise typer.Exit(1)


def split(text: str) -> list[str]:
    """Words with commas between them."""
    return [word.strip() for word in text.split(",") if word.strip()]


def summary(report: PrepareReport) -> str:
    """A line about what is in the manifest."""
    splits = ", ".join(f"{name} {count}" for name, count in sorted(report.splits.items()))
    minutes = report.seconds / 60
    return f"{report.manifest}: {len(report.clips)} clips, {minutes:.1f} min ({splits})"


def facts(report: PrepareReport) -> dict[str, object]:
    """The report for programs."""
    return {
        "manifest": str(report.manifest),
        "clips": len(report.clips),
        "seconds": round(report.seconds, 3),
        "splits": report.splits,
        "left_out": report.left_out,
        "problems": str(report.listing) if report.listing else None,
        "held_back": report.held_back,
        "rebuilt": report.rebuilt.counts if report.rebuilt else None,
    }


def troubles(report: PrepareReport) -> list[str]:
    """What is not as it might be, the first of many only."""
    lines = []
    if report.held_back:
        lines.append(f"{report.held_back} clips belong to a test: their split is now `test`")
    rebuilt = list(report.rebuilt.troubles()) if report.rebuilt else []
    for found in (rebuilt, [problem.reason for problem in report.problems]):
        lines += found[:SHOWN]
        if len(found) > SHOWN:
            lines.append(f"and {len(found) - SHOWN} more")
    if report.listing:
        lines.append(f"{len(report.problems)} clips left out, listed in {report.listing}")
    return lines
