"""Mixtures at "0 dB", written down as a manifest anyone can rebuild.

44.1 kHz, 5 s, clips of different and unlike classes, each scaled to equal RMS over its samples
above one per cent of its peak, and summed. Shorter clips are repeated after a pause, longer
ones cut. The references are the scaled clips themselves.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from sepcli.training.corpora.clip import Clip
from sepcli.training.mixing.level import active_rms
from sepcli.training.ontology import Ontology

RATE = 44_100  # Hz
SAMPLES = 5 * RATE
PAUSE = RATE // 2  # samples between repetitions of a short clip
LEVEL = 0.1  # RMS over active samples

Wave = NDArray[np.float32]


@dataclass(frozen=True)
class ZeroDb:
    """A mixture: files with their labels, and a label unlike any of them."""

    files: tuple[str, ...]
    labels: tuple[str, ...]
    absent: str


def draw_pairs(
    clips: Sequence[Clip], root: Path, per_clip: int, ontology: Ontology, seed: int
) -> list[ZeroDb]:
    """Every clip with `per_clip` random partners of unlike labels.

    Args:
        clips: of the test.
        root: file names are written relative to it.
        per_clip: partners of each.
        ontology: says what is alike.
        seed: of the choice.
    """
    rng = random.Random(seed)
    by_label = grouped(clips)
    firsts = [clip for clip in clips for _ in range(per_clip)]
    return [drawn(first, 2, by_label, root, ontology, rng) for first in firsts]


def draw_many(
    clips: Sequence[Clip],
    root: Path,
    counts: Sequence[int],
    per_count: int,
    ontology: Ontology,
    seed: int,
) -> list[ZeroDb]:
    """`per_count` mixtures of every number of sources in `counts`, all unlike each other."""
    rng = random.Random(seed)
    by_label = grouped(clips)
    return [
        drawn(rng.choice(clips), count, by_label, root, ontology, rng)
        for count in counts
        for _ in range(per_count)
    ]


def grouped(clips: Iterable[Clip]) -> dict[str, list[Clip]]:
    """Clips by label, labels in order."""
    by_label: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        by_label[clip.label].append(clip)
    return dict(sorted(by_label.items()))


def drawn(
    first: Clip,
    count: int,
    by_label: Mapping[str, Sequence[Clip]],
    root: Path,
    ontology: Ontology,
    rng: random.Random,
) -> ZeroDb:
    """A mixture of `first` with `count` - 1 others, no two alike."""
    heard, unlike = [first], unlike_labels(by_label, first.label, ontology)
    while len(heard) < count:
        heard.append(rng.choice(by_label[rng.choice(unlike)]))
        unlike = unlike_labels(unlike, heard[-1].label, ontology)
    names = tuple(clip.path.relative_to(root).as_posix() for clip in heard)
    return ZeroDb(names, tuple(clip.label for clip in heard), rng.choice(unlike))


def unlike_labels(labels: Iterable[str], label: str, ontology: Ontology) -> list[str]:
    """Those of `labels` that may meet `label` in a mixture."""
    return [other for other in labels if not ontology.alike(other, label)]


def write_manifest(path: Path, mixtures: Iterable[ZeroDb]) -> None:
    """One JSON object a line."""
    text = "".join(json.dumps(asdict(mixture)) + "\n" for mixture in mixtures)
    path.write_text(text, encoding="utf-8")


def read_manifest(path: Path) -> list[ZeroDb]:
    """What `write_manifest` wrote."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [ZeroDb(tuple(r["files"]), tuple(r["labels"]), r["absent"]) for r in rows]


def sources_of(mixture: ZeroDb, root: Path) -> Wave:
    """The scaled sources of a mixture, (sources, SAMPLES); their sum is the mixture."""
    waves = [window(root / name) for name in mixture.files]
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
