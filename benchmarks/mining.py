"""How pure and rightly labelled the segments are that `sepcli data mine` finds, and how many.

    python benchmarks/mining.py DATA [--half report] [--write]

DATA holds esc10/ and sounds/ and, if there, synthetic/. Recordings of a minute are made of
validation clips only, seeded: noise at -55 dB, and events between pauses of 0.4 to 1.5 s, half of
them one clip, a third two clips of unlike labels at equal loudness, a sixth two clips one right
after another. Labels are drawn evenly, a clip of the label next, with at most 5 s of it. All labels
of the ontology but those of group `anything` may be given.

A segment is right if one clip holds 95 % of its energy and the label is that clip's own; it is
alike if the label is of the same group in the ontology. Precision is the share of kept segments
that are right; recall is the seconds of right segments, as a share of all seconds in which one clip
holds 95 % of the energy of a 20 ms frame and stands 10 dB above the noise. Rules:

- `energy`: every segment that stands above the noise floor, with its nearest label;
- `clap`: windows of 2 s on a grid, with the CLAP's criteria, whatever their energy;
- `both`: segments and criteria, as `sepcli data mine --separator none`;
- `mine`: the separator's share of energy, too, as `sepcli data mine` does by default.

Origins are in two halves by a hash: the criteria were chosen on `choose`; figures are of `report`.
"""

import argparse
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from sepcli.registry.load import load
from sepcli.registry.store import Registry
from sepcli.training.corpora.clip import Clip, percentile
from sepcli.training.corpora.mine_activity import (
    FRAME_SECONDS,
    Activity,
    Span,
    active_spans,
    frame_levels,
)
from sepcli.training.corpora.mine_judge import Criteria, Judge, Verdict
from sepcli.training.corpora.readers import read_corpus
from sepcli.training.corpora.sounds import RATE, Sounds
from sepcli.training.ontology import ANYTHING, Ontology
from sepcli.training.teacher import load_teacher

HERE = Path(__file__).parent
CORPORA = {"esc10": "esc10", "sounds": "sounds", "synthetic": "class-folders"}
RECORDINGS = 24
SECONDS = 60
NOISE_DB = -55.0
LEVEL_DB = -22.0  # of a clip over its active frames
PURE = 0.95
GRID = 2.0  # seconds, of the windows of rule `clap`


@dataclass(frozen=True)
class Placed:
    """A clip in a recording."""

    label: str
    start: int
    wave: np.ndarray

    def energies(self) -> np.ndarray:
        """Of every 20 ms of the recording."""
        whole = np.zeros(SECONDS * RATE)
        whole[self.start : self.start + len(self.wave)] = self.wave
        return np.square(whole).reshape(-1, round(FRAME_SECONDS * RATE)).sum(axis=1)


@dataclass(frozen=True)
class Scene:
    """A recording with its truth: energies (clips + noise, frames), the noise last."""

    wave: np.ndarray
    labels: list[str]
    energies: np.ndarray

    def holder(self, span: Span) -> str:
        """The label of the clip that holds nearly all the energy of a span; empty if none does."""
        a, b = (round(t / FRAME_SECONDS) for t in (span.start, span.end))
        energy = self.energies[:, a:b].sum(axis=1)
        best = int(energy.argmax())
        pure = best < len(self.labels) and energy[best] >= PURE * energy.sum()
        return self.labels[best] if pure else ""

    def pure_frames(self) -> np.ndarray:
        """Frames in which one clip holds nearly all the energy."""
        clips, noise = self.energies[:-1], self.energies[-1]
        loud = clips.max(axis=0) >= 10 * noise
        return loud & (clips.max(axis=0) >= PURE * self.energies.sum(axis=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--half", choices=("choose", "report"), default="report")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    start = time.process_time()
    figures = measure(given.data, given.half)
    figures["cpu_seconds"] = round(time.process_time() - start, 1)
    text = json.dumps(figures, indent=1)
    print(text)
    if given.write:
        (HERE / "results/mining.json").write_text(text + "\n")


def measure(data: Path, half: str) -> dict:
    """Figures of all rules on one half of the clips."""
    ontology, judged = Ontology.load(), list(judgements(data, half))
    pure = sum(scene.pure_frames().sum() for scene, _, _ in judged) * FRAME_SECONDS
    counts = Counter(label for scene, _, _ in judged for label in scene.labels)
    rules = {name: list(kept_by(name, judged)) for name in KEPT}
    return {
        "half": half,
        "minutes": RECORDINGS * SECONDS / 60,
        "clips": sum(counts.values()),
        "labels": len(counts),
        "pure_seconds": round(float(pure), 1),
        "rules": {name: score(kept, pure, ontology) for name, kept in rules.items()},
    }


def judgements(data: Path, half: str) -> Iterator[tuple[Scene, list, list]]:
    """Every recording with the verdicts on its events, and on windows on a grid."""
    ontology, model = Ontology.load(), load(Registry().find("everyday"))
    labels = [label for label, group in ontology.groups.items() if group != ANYTHING]
    judge = Judge(labels, load_teacher("model:everyday"), ontology, Criteria(), model)
    grid = [Span(t, t + GRID) for t in np.arange(0, SECONDS, GRID).tolist()]
    for scene in scenes(data, half):
        levels = frame_levels([scene.wave[:, None]], RATE)
        events = active_spans(levels, Activity())
        yield scene, verdicts(judge, scene, events), verdicts(judge, scene, grid)


def verdicts(judge: Judge, scene: Scene, spans: Iterable[Span]) -> list[tuple[Span, Verdict]]:
    """What a judge says of spans."""
    cut = ((span, round(span.start * RATE), round(span.end * RATE)) for span in spans)
    return [(span, judge.verdict(scene.wave[a:b], RATE)) for span, a, b in cut]


def unasked(verdict: Verdict) -> Verdict:
    """A verdict as it is without a separator."""
    return replace(verdict, share=None)


KEPT = {  # rule -> which verdicts it looks at, and whether it keeps one
    "energy": (1, lambda _: True),
    "clap": (2, lambda verdict: not Criteria().objection(unasked(verdict))),
    "both": (1, lambda verdict: not Criteria().objection(unasked(verdict))),
    "mine": (1, lambda verdict: not Criteria().objection(verdict)),
}


def kept_by(name: str, judged: list) -> Iterator[tuple[Scene, Span, Verdict]]:
    """The segments that a rule keeps."""
    column, keeps = KEPT[name]
    for row in judged:
        yield from ((row[0], span, verdict) for span, verdict in row[column] if keeps(verdict))


def score(kept: list[tuple[Scene, Span, Verdict]], pure: float, ontology: Ontology) -> dict:
    """Precision and recall of the segments that a rule keeps."""
    right = alike = clean = found = 0
    for scene, span, verdict in kept:
        truth = scene.holder(span)
        clean += bool(truth)
        right += truth == verdict.label
        alike += bool(truth) and ontology.alike(truth, verdict.label)
        if truth == verdict.label:
            a, b = (round(t / FRAME_SECONDS) for t in (span.start, span.end))
            found += scene.pure_frames()[a:b].sum() * FRAME_SECONDS
    shares = {"pure": clean, "alike": alike, "precision": right}
    rounded = {name: round(count / max(1, len(kept)), 3) for name, count in shares.items()}
    return {"segments": len(kept), **rounded, "recall": round(float(found / pure), 3)}


def scenes(data: Path, half: str) -> Iterator[Scene]:
    """The recordings of a half."""
    clips = {}
    for clip in validation_clips(data):
        if clip.label in Ontology.load().groups and half_of(clip) == half:
            clips.setdefault(clip.label, []).append(clip)
    clips = {k: v for k, v in clips.items() if Ontology.load().group(k) != ANYTHING}
    sounds = Sounds(itertools.chain.from_iterable(clips.values()), RATE, 1.0)
    for number in range(RECORDINGS):
        yield scene(clips, sounds, random.Random(f"mining/{half}/{number}"))


def validation_clips(data: Path) -> Iterator[Clip]:
    there = ((name, reader) for name, reader in CORPORA.items() if (data / name).is_dir())
    for name, reader in there:
        yield from (c for c in read_corpus(reader, data / name) if c.split == "validation")


def half_of(clip: Clip) -> str:
    return "choose" if percentile(f"mining/{clip.origin}") < 50 else "report"


def scene(clips: dict[str, list[Clip]], sounds: Sounds, rng: random.Random) -> Scene:
    """A minute of events."""
    placed: list[Placed] = []
    at = round(rng.uniform(0.4, 1.5) * RATE)
    while True:
        event = list(placed_event(clips, sounds, at, rng))
        end = max(p.start + len(p.wave) for p in event)
        if end > SECONDS * RATE:
            break
        placed += event
        at = end + round(rng.uniform(0.4, 1.5) * RATE)
    draw = np.random.default_rng(rng.getrandbits(32))
    noise = draw.standard_normal(SECONDS * RATE) * 10 ** (NOISE_DB / 20)
    rows = [*placed, Placed("", 0, noise)]
    wave = np.zeros(SECONDS * RATE)
    for row in rows:
        wave[row.start : row.start + len(row.wave)] += row.wave
    energies = np.stack([row.energies() for row in rows])
    return Scene(wave.astype(np.float32), [p.label for p in placed], energies)


def placed_event(
    clips: dict[str, list[Clip]], sounds: Sounds, at: int, rng: random.Random
) -> Iterator[Placed]:
    """One clip, two at once, or two in turn."""
    kind = rng.choices(("single", "both", "turns"), (3, 2, 1))[0]
    first = rng.choice(sorted(clips))
    unlike = [label for label in sorted(clips) if not Ontology.load().alike(first, label)]
    for label in (first,) if kind == "single" else (first, rng.choice(unlike)):
        wave = levelled(sounds, rng.choice(clips[label]), rng)
        yield Placed(label, at, wave)
        at += len(wave) if kind == "turns" else 0


def levelled(sounds: Sounds, clip: Clip, rng: random.Random) -> np.ndarray:
    """At most 5 s of a clip from its first active frame on, at a level of its active frames."""
    sound = sounds[clip]
    frame = RATE // 50
    wave = sound.wave.astype(np.float64)[sound.active[0] : sound.active[-1] + frame][: 5 * RATE]
    frames = [sound.wave[a : a + frame].astype(np.float64) for a in sound.active]
    rms = np.sqrt(np.concatenate(frames).var())
    return wave * 10 ** ((LEVEL_DB + rng.uniform(-4, 4)) / 20) / rms


if __name__ == "__main__":
    main()
