"""Files that were cut off, or in which bytes changed."""

from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.soak.mutants.case import Must, Mutant
from benchmarks.soak.mutants.originals import Original

CUTS = (0.002, 0.02, 0.1, 0.3, 0.5, 0.65, 0.8, 0.9)  # of a file that are left
FLIPS = (1, 1, 1, 2, 4, 8, 16, 64)  # bytes that change
HEAD = 256  # bytes in which headers are
CHECKED = ("flac", "ogg")  # formats whose checksums tell every change
SECTOR = 4096  # bytes


def cut_off(originals: list[Original]) -> Iterator[Mutant]:
    """The first part of a file."""
    for original in originals:
        for share in CUTS:
            left = max(3, round(share * len(original.content)))
            name = f"cut-{share:g}.{original.extension}"
            content = original.content[:left]
            yield Mutant("truncated", name, content, Must.told, original.truth)


def flipped(originals: list[Original]) -> Iterator[Mutant]:
    """Random bytes changed, anywhere or in the headers."""
    for original in originals:
        for place, reach in (("body", len(original.content)), ("head", HEAD)):
            for number, count in enumerate(FLIPS):
                rng = np.random.default_rng([len(original.content), reach, number])
                content = bytearray(original.content)
                for at in rng.integers(0, reach, count):
                    content[at] ^= int(rng.integers(1, 256))
                name = f"flip-{place}-{number}.{original.extension}"
                yield Mutant("bytes changed", name, bytes(content), Must.honest, original.truth)


def bad_sectors(originals: list[Original]) -> Iterator[Mutant]:
    """Blocks that a disk lost, doubled or filled with noise."""
    for original in originals:
        middle = len(original.content) // 2
        for what, change in SECTORS.items():
            content = change(original.content, middle)
            name = f"{what}.{original.extension}"
            must = Must.told if original.extension in CHECKED else Must.honest
            yield Mutant("bad sectors", name, content, must, original.truth)


def _noise(content: bytes, at: int) -> bytes:
    noise = np.random.default_rng(len(content)).bytes(SECTOR)
    return (content[:at] + noise + content[at + SECTOR :])[: len(content)]


SECTORS: dict[str, Callable[[bytes, int], bytes]] = {
    "zeroed": lambda content, at: content[:at] + bytes(SECTOR) + content[at + SECTOR :],
    "lost": lambda content, at: content[:at] + content[at + SECTOR :],
    "doubled": lambda content, at: content[: at + SECTOR] + content[at:],
    "noise": _noise,
}
