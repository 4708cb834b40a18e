"""Files whose names say something else than their content."""

from collections.abc import Iterator

from benchmarks.soak.mutants.case import Must, Mutant
from benchmarks.soak.mutants.originals import Original

OTHERS = ("wav", "mp3", "flac", "mp4", "ogg", "dat")


def mislabelled(originals: list[Original]) -> Iterator[Mutant]:
    """Every format under other formats' extensions, and in capitals."""
    for original in originals:
        own = original.extension
        for other in OTHERS:
            if not own.endswith(other):
                name = f"{own.replace('.', '-')}-called.{other}"
                yield Mutant("mislabelled", name, original.content, Must.whole, original.truth)
        name = f"CAPITALS.{own.upper()}"
        yield Mutant("mislabelled", name, original.content, Must.whole, original.truth)
