"""Two-source mixtures at "0 dB", written down as a manifest anyone can rebuild.

44.1 kHz, 5 s, two clips of different and unlike classes, each scaled to equal RMS over its
samples above one per cent of its peak, and summed. Shorter clips are repeated after a pause,
longer ones cut. The reference is the scaled clip itself.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from sepcli.training.corpus import Clip
from sepcli.training.mixing import active_rms
from sepcli.training.ontology import Ontology

RATE = 44_100  # Hz
SAMPLES = 5 * RATE
PAUSE = RATE // 2  # samples between repetitions of a short clip
LEVEL = 0.1  # RMS over active samples

Wave = NDArray[np.float32]


@dataclass(frozen=True)
class Pair:
    """A mixture: two files with their labels, and a label heard in neither."""

    files: tuple[str, str]
    labels: tuple[str, str]
    absent: str


def draw_pairs(
    clips: Sequence[Clip], root: Path, per_clip: int, ontology: Ontology, seed: int
) -> list[Pair]:
    """Every clip with `per_clip` random partners of unlike labels.

    Args:
        clips: of the test.
        root: file names are written relative to it.
        per_clip: partners of each.
        ontology: says what is alike.
        seed: of the choice.
    """
    rng = random.Random(seed)
    labels = sorted({clip.label for clip in clips})
    by_label: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        by_label[clip.label].append(clip)
    pairs = []
    for clip in clips:
        unlike = [x for x in labels if not ontology.alike(x, clip.label)]
        for _ in range(per_clip):
            other = rng.choice(by_label[rng.choice(unlike)])
            both = (clip.label, other.label)
            absent = rng.choice([x for x in unlike if not ontology.alike(x, other.label)])
            names = tuple(str(c.path.relative_to(root)) for c in (clip, other))
            pairs.append(Pair((names[0], names[1]), both, absent))
    return pairs


def write_pairs(path: Path, pairs: Iterable[Pair]) -> None:
    """One JSON object a line."""
    text = "".join(json.dumps(asdict(pair)) + "\n" for pair in pairs)
    path.write_text(text, encoding="utf-8")


def read_pairs(path: Path) -> list[Pair]:
    """What `write_pairs` wrote."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Pair(tuple(r["files"]), tuple(r["labels"]), r["absent"]) for r in rows]


def sources_of(pair: Pair, root: Path) -> Wave:
    """The scaled sources of a mixture, (2, SAMPLES); their sum is the mixture."""
    waves = [window(root / name) for name in pair.files]
    return np.stack([wave * (LEVEL / active_rms(wave)) for wave in waves]).astype(np.float32)


def window(path: Path) -> Wave:
    """(SAMPLES,) of a clip, mono at RATE, repeated after PAUSE if it is short."""
    wave, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = soxr.resample(wave.mean(axis=1), rate, RATE) if rate != RATE else wave.mean(axis=1)
    period = len(mono) + PAUSE
    out = np.zeros(SAMPLES, np.float32)
    for at in range(0, SAMPLES, period):
        part = mono[: SAMPLES - at]
        out[at : at + len(part)] = part
    return out
