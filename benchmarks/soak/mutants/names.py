"""Files whose names say something else than their content."""

import os
from collections.abc import Iterator

from benchmarks.soak.mutants.case import Must, Mutant
from benchmarks.soak.mutants.originals import Original

ODD = (
    os.fsdecode(b"caf\xe9.wav"),  # no UTF-8
    "new\nline.wav", "bell\x07\x1b[2J.wav", "-dash.wav", " blanks .wav", "quotes'\".wav",
    "%s%n{input}{0.x}.wav", "[bold].wav", "🐕.wav", "\u202egnp.wav", "a:b*?|<>.wav", "con.wav",
    "$(touch harm);`touch harm`.wav", "...wav", ".hidden.wav", "without-extension", "dot.",
    "x" * 251 + ".wav", "é" * 125 + ".wav",
)  # fmt: skip
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


def oddly_named(original: Original) -> Iterator[Mutant]:
    """Names that programs stumble over."""
    for name in ODD:
        yield Mutant("odd names", name, original.content, Must.whole, original.truth)
