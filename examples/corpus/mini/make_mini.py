"""Makes this corpus from ESC-10, whose folder holds manifest.csv and the clips.

python examples/corpus/mini/make_mini.py path/to/esc10
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import soxr
from soundfile import SoundFile

from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.manifest import write_manifest
from sepcli.training.corpora.readers.esc import read_esc10
from sepcli.training.corpora.sounds import decode

HERE = Path(__file__).parent
EACH = {"train": 5, "validation": 1}  # clips of a label, each by another author
RATE = 32_000  # Hz
COMPRESSION = 0.7  # from 0, large and good, to 1
BLOCK = RATE  # samples; libsndfile crashes when it is given a long Vorbis file at once


def main() -> None:
    clips = [written(clip) for clip in choose(read_esc10(Path(sys.argv[1])))]
    write_manifest(HERE / "mini.jsonl", clips)


def choose(clips: Iterable[Clip]) -> Iterator[Clip]:
    """Shippable clips, never those to test with; an author's clips of a label are one recording.

    Validation comes first, since it has less to choose from, and CC0 before CC BY.
    """
    counts: Counter[tuple[str, str]] = Counter()
    seen: set[tuple[str, str]] = set()
    for clip in sorted(clips, key=preference):
        author = clip.label, clip.credit.rpartition(" by ")[2].rpartition(", ")[0]
        wanted = counts[clip.label, clip.split] < EACH.get(clip.split, 0)
        if clip.ship and wanted and author not in seen:
            seen.add(author)
            counts[clip.label, clip.split] += 1
            yield clip


def preference(clip: Clip) -> tuple[str, bool, bool, Path]:
    """The order in which clips are chosen."""
    return clip.label, clip.split != "validation", clip.licence != "CC0", clip.path


def written(clip: Clip) -> Clip:
    """The clip as small Vorbis in this folder."""
    wave, rate = decode(clip)
    mono = soxr.resample(wave, rate, RATE)
    path = HERE / clip.path.name
    with SoundFile(path, "w", RATE, 1, "VORBIS", compression_level=COMPRESSION) as file:
        for block in np.array_split(mono, -(-len(mono) // BLOCK)):
            file.write(block)
    return replace(clip, path=path, duration=len(mono) / RATE, corpus="mini")


if __name__ == "__main__":
    main()
