"""All mutated inputs."""

from collections.abc import Iterator

from benchmarks.soak.mutants.case import Mutant
from benchmarks.soak.mutants.damage import bad_sectors, cut_off, flipped
from benchmarks.soak.mutants.headers import wrong_headers
from benchmarks.soak.mutants.names import mislabelled, oddly_named
from benchmarks.soak.mutants.originals import originals
from benchmarks.soak.mutants.posers import posers
from benchmarks.soak.mutants.values import few_samples, many_channels, many_rates, not_numbers


def mutants(address: str, secret: str, mark: str) -> Iterator[Mutant]:
    """Every mutated input, always the same; see `posers` for the arguments."""
    recordings = originals()
    yield from cut_off(recordings)
    yield from flipped(recordings)
    yield from bad_sectors(recordings)
    yield from wrong_headers(recordings)
    yield from not_numbers()
    yield from few_samples()
    yield from many_channels()
    yield from many_rates()
    yield from mislabelled(recordings)
    yield from oddly_named(recordings[0])
    yield from posers(recordings[0], address, secret, mark)
