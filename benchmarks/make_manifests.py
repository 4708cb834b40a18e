"""Writes the mixing manifests of sepcli/evaluation/manifests; run once, before any training.

python benchmarks/make_manifests.py DATA
"""

import sys
from collections import defaultdict
from pathlib import Path

import soundfile

from sepcli import evaluation
from sepcli.evaluation.mixtures import draw_many, draw_pairs, write_manifest
from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.readers.esc import read_esc10
from sepcli.training.corpora.readers.package_sounds import read_sounds
from sepcli.training.ontology import ANYTHING, Ontology

SEED = 20261122
SHORTEST = 0.5  # seconds
PACKAGES, CLIPS = 3, 10  # a class needs at least so many
PER_CLASS = 6  # clips of a class in the package-disjoint test
MANY, PER_COUNT = (2, 3, 4, 5), 40
FOLDER = Path(evaluation.__file__).parent / "manifests"


def main(data: Path) -> None:
    ontology = Ontology.load()
    root = data / "esc10"
    esc = [c for c in read_esc10(root) if c.split == "test"]
    write_manifest(FOLDER / "demo.jsonl", draw_pairs(esc, root, 4, ontology, SEED))
    many = draw_many(esc, root, MANY, PER_COUNT, ontology, SEED)
    write_manifest(FOLDER / "demo-many.jsonl", many)
    root = data / "sounds"
    sounds = disjoint_clips(list(read_sounds(root)))
    pairs = draw_pairs(sounds, root, 1, ontology, SEED)
    write_manifest(FOLDER / "package-disjoint.jsonl", pairs)


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
