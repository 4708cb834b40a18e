"""`sepcli eval check`: every estimate of a data set looked at before it is scored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sepcli.errors import ItemError, UsageError
from sepcli.evaluation.check import Estimate, Finding, check_item
from sepcli.evaluation.datasets.base import Item
from sepcli.evaluation.datasets.sound import Track, read_sound
from sepcli.evaluation.options import EvalOptions, check_options
from sepcli.evaluation.plan import found_items
from sepcli.evaluation.protocols import find_protocol
from sepcli.evaluation.systems import FolderSystem


def check_estimates(options: EvalOptions) -> Iterator[Finding]:
    """What is wrong with the estimates in `options.estimates`, item by item.

    Raises:
        UsageError: if there is no data set, or no folder of estimates.
    """
    check_options(options)
    if options.estimates is None:
        raise UsageError("no estimates to check", "name their folder")
    located, _, items = found_items(options)
    protocol = find_protocol(options.protocol or located.dataset.protocols[0])
    system = FolderSystem(options.estimates)
    for item in items[: options.limit]:
        yield from findings(item, system, options.stems or protocol.stems, not protocol.permutation)


def findings(
    item: Item, system: FolderSystem, stems: tuple[str, ...] | None, ordered: bool
) -> Iterator[Finding]:
    """What is wrong with one item's estimates; one that cannot be read is a finding, too."""
    try:
        example = item.read()
        wanted = stems or tuple(example.references)
        references = {stem: example.references[stem] for stem in wanted}
        estimates = {stem: read(system.find(item.name, stem)) for stem in wanted}
    except ItemError as error:
        yield Finding("error", item.name, "", str(error), error.remedy)
    else:
        example = replace(example, references=references)
        yield from check_item(item.name, example, estimates, ordered)


def read(path: Path) -> Estimate:
    """An estimate as it is, whatever its rate and length."""
    sound = read_sound(Track(path))
    return Estimate(sound.rate, sound.wave)
