"""What is refused before any work: options that do not go together, and more than the
disk can hold."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from sepcli.audio.formats import WIDTH
from sepcli.errors import OutputError, UsageError
from sepcli.registry.store import Model
from sepcli.sections import suggestion
from sepcli.separation.naming import check_template
from sepcli.separation.options import STREAM, SeparateOptions
from sepcli.separation.plan import Job

SPACE_MARGIN = 1.05  # of the estimated size of the stems


def check_options(options: SeparateOptions, model: Model) -> None:
    """Refuse combinations that make no sense.

    Raises:
        UsageError
    """
    check_template(options.template)
    if options.skip_existing and options.overwrite:
        raise UsageError("--skip-existing and --overwrite exclude each other", "give one of them")
    check_stream(options)
    if model.entry.stems is None:
        check_asking(options, model)
    else:
        check_fixed(options, model, model.entry.stems)


def check_stream(options: SeparateOptions) -> None:
    """Refuse more or less than one stem for standard output."""
    if options.output != STREAM:
        return
    if options.residual:
        raise UsageError("standard output takes one stem", "leave --residual out, or name a folder")
    if options.drop_silent:
        message = "--drop-silent could leave standard output without its stem"
        raise UsageError(message, "leave it out, or name a folder")


def check_asking(options: SeparateOptions, model: Model) -> None:
    """Refuse what a model that answers queries cannot do."""
    if options.auto and options.queries:
        raise UsageError("--auto does not go with a query", "leave one of them out")
    if options.stems:
        raise UsageError(f"model {model.name} has no fixed stems", "ask with --query instead")


def check_fixed(options: SeparateOptions, model: Model, stems: Sequence[str]) -> None:
    """Refuse what a model with fixed stems cannot do."""
    if options.auto:
        what = f"model {model.name}, which answers no queries"
        raise UsageError(f"--auto does not go with {what}", "leave one of them out")
    if options.queries or options.negatives:
        message = f"model {model.name} answers no queries, it gives {', '.join(stems)}"
        raise UsageError(message, "leave --query out, or choose another --model")
    for stem in options.stems:
        if stem not in stems:
            message = f"model {model.name} has no stem {stem}{suggestion(stem, stems)}"
            raise UsageError(message, f"it has {', '.join(stems)}")


def check_space(jobs: list[Job], options: SeparateOptions) -> None:
    """Refuse to start what the disk cannot hold.

    Raises:
        OutputError
    """
    if options.output == STREAM or not jobs:
        return
    folder = Path(options.output).absolute()
    while not folder.exists():
        folder = folder.parent
    needed = SPACE_MARGIN * (sum(map(stem_bytes, jobs)) + max(map(raw_bytes, jobs)))
    free = shutil.disk_usage(folder).free
    if needed > free:
        message = f"the stems need about {needed / 1e9:.2f} GB, {folder} has {free / 1e9:.2f} GB"
        raise OutputError(message, "free some space, or choose another -o folder")


def stem_bytes(job: Job) -> float:
    """Size of a job's stems, uncompressed."""
    return stem_values(job) * job.encoding.width


def raw_bytes(job: Job) -> float:
    """Size of what is kept until a job's integer stems are rounded, see `StemWriter`."""
    return 0.0 if job.encoding.step is None else stem_values(job) * WIDTH["FLOAT"]


def stem_values(job: Job) -> float:
    """Samples of all channels of a job's stems."""
    return job.seconds * job.info.rate * job.info.channels * len(job.outputs)
