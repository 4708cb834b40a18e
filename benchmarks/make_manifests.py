"""Writes the mixing manifests of the quality benchmark; run once, before any training.

python benchmarks/make_manifests.py DATA
"""

import sys
from collections import defaultdict
from pathlib import Path

import soundfile

from sepcli.evaluation.mixtures import draw_pairs, write_pairs
from sepcli.training.corpus import Clip, read_esc10, read_sounds
from sepcli.training.ontology import ANYTHING, Ontology

SEED = 20261122
SHORTEST = 0.5  # seconds
PACKAGES, CLIPS = 3, 10  # a class needs at least so many
PER_CLASS = 6  # clips of a class in the package-disjoint test
FOLDER = Path(__file__).parent / "manifests"


def main(data: Path) -> None:
    ontology = Ontology.load()
    esc = [c for c in read_esc10(data / "esc10") if c.split == "test"]
    pairs = draw_pairs(esc, data / "esc10", 4, ontology, SEED)
    write_pairs(FOLDER / "esc10_fold4_0db.jsonl", pairs)
    sounds = disjoint_clips(list(read_sounds(data / "sounds")))
    pairs = draw_pairs(sounds, data / "sounds", 1, ontology, SEED)
    write_pairs(FOLDER / "package_disjoint_0db.jsonl", pairs)


def disjoint_clips(clips: list[Clip]) -> list[Clip]:
    """Up to PER_CLASS test clips of every class that has enough packages and clips."""
    by_folder: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        by_folder[clip.path.parent.name].append(clip)
    chosen = []
    for row in by_folder.values():
        if len({c.origin for c in row}) >= PACKAGES and len(row) >= CLIPS:
            test = [c for c in row if c.split == "test" and long_enough(c)]
            chosen += test[:: max(1, len(test) // PER_CLASS)][:PER_CLASS]
    return [c for c in chosen if Ontology.load().groups[c.label] != ANYTHING]


def long_enough(clip: Clip) -> bool:
    return soundfile.info(clip.path).duration >= SHORTEST


if __name__ == "__main__":
    main(Path(sys.argv[1]))
