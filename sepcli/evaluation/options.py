"""Everything an evaluation is told, frozen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sepcli.errors import UsageError
from sepcli.evaluation.metrics.backends import Backend
from sepcli.separation.options import Device


@dataclass(frozen=True)
class EvalOptions:
    """Options of `sepcli eval`; the defaults are the command's.

    Attributes:
        dataset: name in the catalogue; None to tell it from its folder, or with `refs`.
        root: folder of the data set; None to look below SEPCLI_DATA.
        split: of the data set; None for the one that papers score.
        refs: folder of references of your own.
        estimates: folder of stems to score; None to score a model.
        plan: whose stems are scored, against `refs`.
        model: name or folder; None for the default model.
        registry: a registry file that goes before all others.
        protocol: its id; None for the data set's first.
        metrics: names; None for the protocol's.
        stems: that are scored; None for the protocol's.
        backend: whose code computes BSS Eval.
        jobs: worker processes, 0 for none; None for as many as pay.
        limit: items; None for all.
        references: whether mixture, silence and oracles are scored as well.
        report: folder of the run; None for evaluations/DATASET.SYSTEM.
        resume: go on with what is in that folder.
        overwrite: replace it.
        fail_under: "COLUMN=VALUE".
        device: where a model computes.
    """

    dataset: str | None = None
    root: Path | None = None
    split: str | None = None
    refs: Path | None = None
    estimates: Path | None = None
    plan: Path | None = None
    model: str | None = None
    registry: Path | None = None
    protocol: str | None = None
    metrics: tuple[str, ...] | None = None
    stems: tuple[str, ...] | None = None
    backend: Backend = "sepcli"
    jobs: int | None = None
    limit: int | None = None
    references: bool = True
    report: Path | None = None
    resume: bool = False
    overwrite: bool = False
    fail_under: tuple[str, ...] = ()
    device: Device = "auto"


def check_options(options: EvalOptions) -> None:
    """Refuse combinations that make no sense.

    Raises:
        UsageError
    """
    if options.refs is not None and (options.dataset or options.root):
        raise UsageError("--refs names the references: no --dataset or --root", "give one of them")
    if options.plan is not None and options.refs is None:
        remedy = "name their folder: --references DIR"
        raise UsageError("a plan is scored against references", remedy)
    if options.plan is not None and (options.estimates or options.model):
        other = "--model" if options.model else "--estimates"
        raise UsageError(f"--plan and {other} exclude each other", "give one of them")
    if options.refs is None and options.dataset is None and options.root is None:
        remedy = "give --dataset (see `sepcli eval datasets`), or --refs and --estimates"
        raise UsageError("nothing to evaluate on", remedy)
    if options.estimates is not None and options.model is not None:
        raise UsageError("--estimates and --model exclude each other", "give one of them")
    if options.resume and options.overwrite:
        raise UsageError("--resume and --overwrite exclude each other", "give one of them")
    for text in options.fail_under:
        parse_threshold(text)


def parse_threshold(text: str) -> tuple[str, float]:
    """`COLUMN=VALUE` of --fail-under.

    Raises:
        UsageError: if it is not that.
    """
    column, _, value = text.partition("=")
    try:
        return column.strip(), float(value)
    except ValueError:
        remedy = "give COLUMN=VALUE, such as sdri=7.5"
        raise UsageError(f"not a threshold: {text}", remedy) from None
