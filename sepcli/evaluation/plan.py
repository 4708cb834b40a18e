"""What an evaluation will do, decided and checked before anything is separated or scored."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sepcli.batch.plan_file import read_plan
from sepcli.errors import OutputError, UsageError
from sepcli.evaluation.batch import JOURNAL, Evaluation
from sepcli.evaluation.datasets.base import Evidence, Item
from sepcli.evaluation.datasets.find import Located, detect, items_of, locate
from sepcli.evaluation.datasets.integrity import completeness, content_hash
from sepcli.evaluation.metrics.backends import load
from sepcli.evaluation.metrics.catalogue import canonical, find
from sepcli.evaluation.metrics.checkpoints import checkpoints_of
from sepcli.evaluation.options import EvalOptions, check_options, parse_threshold
from sepcli.evaluation.planned import PlanSystem, planned_items
from sepcli.evaluation.protocols import find_protocol
from sepcli.evaluation.runs import ROWS, SUMMARY
from sepcli.evaluation.scoring import Settings
from sepcli.evaluation.set_metrics import SET_METRICS
from sepcli.evaluation.summary import About
from sepcli.evaluation.systems import FolderSystem, System
from sepcli.separation.options import SeparateOptions

RUNS = Path("evaluations")


@dataclass(frozen=True)
class Plan:
    """A checked evaluation.

    Attributes:
        options: as given.
        about: what is evaluated, for the report.
        items: to score.
        settings: what is computed.
        system: that makes the estimates.
        folder: of the run.
        evaluation: scores the items.
    """

    options: EvalOptions
    about: About
    items: Sequence[Item]
    settings: Settings
    system: System
    folder: Path
    evaluation: Evaluation


def plan(options: EvalOptions) -> Plan:
    """Check everything that can be refused, load the model, and look at the data set.

    Raises:
        SepcliError: for what is refused.
    """
    check_options(options)
    located, split, items = found_items(options)
    name = options.protocol or located.dataset.protocols[0]
    settings = settings_of(name, options)
    system = system_of(options)
    folder = options.report or RUNS / run_name(located, name, split, system)
    prepare_folder(folder, options)
    whole = completeness(located.dataset, split, items)
    about = About(
        protocol=name,
        dataset={
            "name": located.name,
            "title": located.dataset.title,
            "licence": located.dataset.licence,
            "split": split,
            "complete": whole,
        },
        items=len(items[: options.limit]),
        items_hash=content_hash(items[: options.limit]),
        notes=tuple(notes(options, located, split, whole, len(items), settings)),
        command=command_line(options, located, name),
    )
    items = items[: options.limit]
    evaluation = Evaluation(items, system, settings, folder, jobs_of(options, system))
    return Plan(options, about, items, settings, system, folder, evaluation)


def found_items(options: EvalOptions) -> tuple[Located, str, Sequence[Item]]:
    """The data set, the name of its split, and that split's items."""
    if options.plan is not None and options.refs is not None:
        located = Located("folder", options.refs, Evidence(1.0, "references of a plan"))
        return located, "all", planned_items(read_plan(options.plan), options.refs)
    located = find_dataset(options)
    split = options.split or next(iter(located.dataset.splits))
    return located, split, items_of(located, split)


def find_dataset(options: EvalOptions) -> Located:
    """The data set that is named, or that a folder looks like.

    Raises:
        UsageError: if there is none, or more than one is as likely.
    """
    if options.refs is not None:
        return locate("folder", options.refs, os.environ)
    if options.dataset is not None:
        return locate(options.dataset, options.root, os.environ)
    assert options.root is not None  # check_options has seen to it
    found = detect(options.root)
    if not found:
        message = f"{options.root} looks like no known data set"
        raise UsageError(message, "see `sepcli eval datasets`, or give --refs")
    best = [row for row in found if row[1].certainty == found[0][1].certainty]
    if len(best) > 1:
        reasons = "; ".join(f"{name}: {evidence.reason}" for name, evidence in best)
        raise UsageError(
            f"{options.root} may be several data sets: {reasons}", "name one with --dataset"
        )
    return Located(best[0][0], options.root, best[0][1])


def settings_of(name: str, options: EvalOptions) -> Settings:
    """What is computed; every metric is loaded once, so that a missing extra is told now.

    Raises:
        UsageError: if a metric or protocol is unknown, or its extra is not installed.
    """
    protocol = find_protocol(name)
    asked = options.metrics or protocol.metrics
    metrics = tuple(dict.fromkeys(canonical(m) for m in asked if m not in SET_METRICS))
    if not metrics:
        message = "no metric of single items"
        raise UsageError(message, f"give one beside {', '.join(asked)}, such as sdr")
    for metric in metrics:
        load(metric, options.backend)
    check_thresholds(options, metrics)
    return Settings(
        protocol,
        metrics,
        options.references,
        options.stems,
        options.backend,
        set_metrics=tuple(m for m in asked if m in SET_METRICS),
        checkpoints=checkpoints_of(dict.fromkeys([*metrics, *asked])),
    )


def check_thresholds(options: EvalOptions, metrics: Sequence[str]) -> None:
    """Refuse a --fail-under of a column that will not be there."""
    columns = {column for metric in metrics for column in find(metric).columns}
    for text in options.fail_under:
        if (column := parse_threshold(text)[0]) not in columns:
            known = ", ".join(sorted(columns))
            raise UsageError(f"--fail-under {column} is not computed", f"columns are {known}")


def system_of(options: EvalOptions) -> System:
    """The folder of estimates, the stems of a plan, or the model, loaded."""
    if options.plan is not None:
        return PlanSystem(read_plan(options.plan))
    if options.estimates is not None:
        return FolderSystem(options.estimates)
    from sepcli.evaluation.asking import ModelSystem  # torch is not needed to score stems
    from sepcli.evaluation.estimating import Separator
    from sepcli.registry.load import load as load_model
    from sepcli.registry.store import Registry

    loaded = load_model(Registry(options.registry).find(options.model))
    separator = Separator(loaded, SeparateOptions((), device=options.device))
    return ModelSystem(separator, loaded.model.name, loaded.fingerprint)


def run_name(located: Located, protocol: str, split: str, system: System) -> str:
    """A folder's name that tells runs apart: what is not the default is named."""
    parts = [located.name]
    if split != next(iter(located.dataset.splits)):
        parts.append(split)
    if protocol != located.dataset.protocols[0]:
        parts.append(protocol.rpartition("/")[2])
    return ".".join(re.sub(r"[^\w-]+", "-", part) for part in [*parts, system.name])


def prepare_folder(folder: Path, options: EvalOptions) -> None:
    """Make the run's folder, and see to it that no earlier run is lost by mistake.

    Raises:
        UsageError: if there is a run already, and neither --resume nor --overwrite is given.
        OutputError: if the folder cannot be made.
    """
    there = [folder / name for name in (SUMMARY, ROWS, JOURNAL) if (folder / name).exists()]
    if there and not (options.resume or options.overwrite):
        message = f"{folder} holds a run already"
        raise UsageError(message, "give --resume or --overwrite, or another --report folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if options.overwrite:
            for path in there:
                path.unlink()
    except OSError as error:
        message = f"cannot write to {folder}: {error.strerror}"
        raise OutputError(message, "choose another --report folder") from error


def notes(
    options: EvalOptions,
    located: Located,
    split: str,
    whole: str,
    items: int,
    settings: Settings,
) -> Iterator[str]:
    """What a reader has to know before the figures; `whole` says how complete the split is."""
    if options.limit is not None and options.limit < items:
        yield f"NOT A BENCHMARK RESULT: --limit {options.limit} of {items} items"
    if whole.startswith("PARTIAL"):
        yield f"{whole}: not the whole {located.name} {split}"
    if located.evidence.certainty < 1 and options.dataset is None and options.refs is None:
        yield f"taken for {located.name}: {located.evidence.reason}"
    if options.stems is not None:
        yield f"only the stems {', '.join(options.stems)}"
    if settings.metrics != settings.protocol.metrics:
        yield f"not the protocol's metrics, but {', '.join(settings.metrics)}"
    for metric, checkpoint in settings.checkpoints:
        yield f"{metric} listens with weights {checkpoint[:12]}"
    if options.backend != "sepcli":
        yield f"BSS Eval was computed by {options.backend}"


def command_line(options: EvalOptions, located: Located, protocol: str) -> str:
    """A command that makes the same figures; folders of this machine are left blank."""
    words = ["sepcli", "eval"]
    if options.refs is not None:
        words += ["--refs", "DIR"]
    else:
        words += ["--dataset", located.name]
    words += [] if options.split is None else ["--split", options.split]
    words += ["--plan", "PLAN"] if options.plan is not None else []
    words += ["--estimates", "DIR"] if options.estimates is not None else []
    words += [] if options.model is None else ["--model", options.model]
    words += ["--protocol", protocol]
    for name, names in (("--metrics", options.metrics), ("--stems", options.stems)):
        words += [] if names is None else [name, ",".join(names)]
    words += [] if options.backend == "sepcli" else ["--backend", options.backend]
    words += [] if options.limit is None else ["--limit", str(options.limit)]
    words += [] if options.references else ["--no-references"]
    return shlex.join(words)


def jobs_of(options: EvalOptions, system: System) -> int:
    """As many workers as there are cores; beside a model, which keeps the cores busy, one."""
    if options.jobs is not None:
        return options.jobs
    return (os.cpu_count() or 1) if system.portable else 1
