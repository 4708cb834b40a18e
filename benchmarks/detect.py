"""How many of the sounds in a recording `sepcli detect` names, and how many of its names are right.

    python benchmarks/detect.py DATA [--half report] [--write]

DATA holds esc10/ and sounds/ and, if there, synthetic/. Recordings of 10 s are made of validation
clips only, seeded: noise at -55 dB and two clips of unlike labels, drawn evenly, at most 5 s of
each at -22 dB within 4 dB, anywhere. Two lists of names are looked for:

- `audioset`: AudioSet's 527 names, the default. A sound is right if the name that it is listed
  under is one of those that audioset_names.yaml gives for the label of either clip;
- `own`: the plain names of all labels of the ontology, as a user's list. A sound is right if its
  label is alike to that of either clip.

Precision is the share of listed sounds that are right; recall the share of clips for which a right
one is listed; mAP the mean over all names that are right for any recording of the average precision
with which the name's score ranks the recordings. Labels of an origin are in one of two halves, by a
hash. On `choose`, weights of presence from 0.1 to 0.3 differ by less than 0.03 in the F1 of
`audioset`: 0.2 was taken, with the threshold that is best there. Figures are of `report`. `cosine
alone` is what the encoder lists without the separator's judgement, at the threshold best for that.
"""

import argparse
import itertools
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from sepcli.query import detect
from sepcli.query.detect import Detector, Ear, Presence
from sepcli.query.labels import audioset_names
from sepcli.registry.load import load, load_encoder
from sepcli.registry.store import Registry
from sepcli.separation.detection import judge
from sepcli.training.corpora.clip import Clip, percentile
from sepcli.training.corpora.readers import read_corpus
from sepcli.training.corpora.sounds import RATE, Sounds
from sepcli.training.ontology import ANYTHING, Ontology
from sepcli.yaml_file import read_yaml

HERE = Path(__file__).parent
CORPORA = {"esc10": "esc10", "sounds": "sounds", "synthetic": "class-folders"}
RECORDINGS = 80
SECONDS = 10
LONGEST = 5  # seconds of a clip
NOISE_DB = -55.0
LEVEL_DB = -22.0  # of a clip over its active frames
THRESHOLDS = np.arange(0.38, 0.58, 0.02).round(2).tolist()
COSINE_THRESHOLD = 0.40  # the best without presence
WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4)

Heard = list[tuple[tuple[str, ...], np.ndarray]]  # labels of the clips, and the recording
IsRight = Callable[[str, str], bool]  # a listed name, a clip's label


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
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
        (HERE / "results/detect.json").write_text(text + "\n")


def measure(data: Path, half: str) -> dict:
    """Figures of both lists as they are; or, on the half to choose on, what would be best."""
    names, ontology = read_yaml(HERE / "audioset_names.yaml"), Ontology.load()
    own = {ontology.names(label)[0]: label for label in labels_of(ontology)}
    heard = list(recordings(data, half))
    model = Registry().find("everyday")
    encoder = load_encoder(model, keep=False)
    ear, presence = remembered(encoder.embed_audio), asked_once(judge(load(model), "cpu"))

    def listening(labels: tuple[str, ...], *judges: Presence) -> Detector:
        return Detector(labels, encoder.embed_texts(labels), ear, detect.THRESHOLD, *judges)

    def named(label: str, truth: str) -> bool:
        return label in names[truth]

    figures: dict = {"half": half, "recordings": RECORDINGS, "threshold": detect.THRESHOLD}
    ears, alone = listening(audioset_names(), presence), listening(audioset_names())
    alone.threshold = COSINE_THRESHOLD
    if half == "choose":
        return figures | {"best": best(heard, ears, named)}
    return figures | {
        "audioset": rates(heard, ears, named),
        "audioset, cosine alone": rates(heard, alone, named),
        "own": rates(
            heard,
            listening(tuple(own), presence),
            lambda label, truth: ontology.alike(own[label], truth),
        ),
    }


def remembered(ear: Ear) -> Ear:
    """An ear that hears every window once: it is listened to at many thresholds."""
    known: dict[bytes, torch.Tensor] = {}

    def hear(wave: np.ndarray, rate: int) -> torch.Tensor:
        key = wave.tobytes()
        if key not in known:
            known[key] = ear(wave, rate)
        return known[key]

    return hear


def asked_once(judged: Presence) -> Presence:
    """A judge that is asked about every sound of a stretch once."""
    known: dict[tuple[bytes, bytes], float] = {}

    def presence(wave: np.ndarray, rate: int, queries: torch.Tensor) -> np.ndarray:
        stretch = wave.tobytes()
        keys = [(stretch, row.numpy().tobytes()) for row in queries]
        new = [n for n, key in enumerate(keys) if key not in known]
        if new:
            known.update(zip([keys[n] for n in new], judged(wave, rate, queries[new]), strict=True))
        return np.array([known[key] for key in keys], np.float32)

    return presence


def best(heard: Heard, ears: Detector, is_right: IsRight) -> list[dict]:
    """For every weight of presence the threshold with the highest F1, with its figures."""
    rows = []
    for detect.WEIGHT in WEIGHTS:
        tried = []
        for ears.threshold in THRESHOLDS:
            figures = rates(heard, ears, is_right)
            tried.append({"weight": detect.WEIGHT, "threshold": ears.threshold, **figures})
        rows.append(max(tried, key=lambda row: row["f1"]))
    return rows


def rates(heard: Heard, ears: Detector, is_right: IsRight) -> dict:
    """How many are listed, precision, recall, F1 and mAP."""
    given = [(truth, ears.listen([wave], RATE).sounds) for truth, wave in heard]
    listed = [(truth, sound.label) for truth, sounds in given for sound in sounds]
    right = sum(any(is_right(label, one) for one in truth) for truth, label in listed)
    clips = [(one, sounds) for truth, sounds in given for one in truth]
    found = sum(any(is_right(sound.label, one) for sound in sounds) for one, sounds in clips)
    precision, recall = right / max(1, len(listed)), found / len(clips)
    f1 = 2 * precision * recall / max(1e-9, precision + recall)
    ranked = mean_average_precision(heard, ears, is_right)
    figures = {"precision": precision, "recall": recall, "f1": f1, "map": ranked}
    return {"listed": len(listed), **{key: round(value, 3) for key, value in figures.items()}}


def mean_average_precision(heard: Heard, ears: Detector, is_right: IsRight) -> float:
    """Over the names that are right for any recording."""
    table = np.stack([highest(ears, wave) for _, wave in heard])
    averages = []
    for column, label in enumerate(ears.labels):
        right = np.array([any(is_right(label, one) for one in truth) for truth, _ in heard])
        if right.any():
            ranks = right[np.argsort(-table[:, column], kind="stable")]
            precisions = np.cumsum(ranks) / np.arange(1, len(ranks) + 1)
            averages.append(precisions[ranks].mean())
    return float(np.mean(averages))


def highest(ears: Detector, wave: np.ndarray) -> np.ndarray:
    """Every label's score of any window of a recording that is no longer than a stretch."""
    return np.max([scores for _, scores in ears.scores(wave, RATE)], axis=0)


def labels_of(ontology: Ontology) -> list[str]:
    return [label for label, group in ontology.groups.items() if group != ANYTHING]


def recordings(data: Path, half: str) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:
    """Labels and wave (samples, 1) of every recording of a half."""
    clips: dict[str, list[Clip]] = {}
    known = labels_of(Ontology.load())
    for clip in validation_clips(data):
        if clip.label in known and half_of(clip) == half:
            clips.setdefault(clip.label, []).append(clip)
    sounds = Sounds(itertools.chain.from_iterable(clips.values()), RATE, 1.0)
    for number in range(RECORDINGS):
        yield recording(clips, sounds, random.Random(f"detect/{half}/{number}"))


def validation_clips(data: Path) -> Iterator[Clip]:
    there = ((name, reader) for name, reader in CORPORA.items() if (data / name).is_dir())
    for name, reader in there:
        yield from (c for c in read_corpus(reader, data / name) if c.split == "validation")


def half_of(clip: Clip) -> str:
    return "choose" if percentile(f"detect/{clip.label}/{clip.origin}") < 50 else "report"


def recording(
    clips: dict[str, list[Clip]], sounds: Sounds, rng: random.Random
) -> tuple[tuple[str, ...], np.ndarray]:
    """Two clips of unlike labels in a little noise."""
    first = rng.choice(sorted(clips))
    unlike = [label for label in sorted(clips) if not Ontology.load().alike(first, label)]
    truth = (first, rng.choice(unlike))
    draw = np.random.default_rng(rng.getrandbits(32))
    wave = draw.standard_normal(SECONDS * RATE) * 10 ** (NOISE_DB / 20)
    for label in truth:
        clip = levelled(sounds, rng.choice(clips[label]), rng)
        at = rng.randrange(len(wave) - len(clip) + 1)
        wave[at : at + len(clip)] += clip
    return truth, wave.astype(np.float32)[:, None]


def levelled(sounds: Sounds, clip: Clip, rng: random.Random) -> np.ndarray:
    """A clip from its first active frame on, at a level of its active frames."""
    sound, frame = sounds[clip], RATE // 50
    wave = sound.wave.astype(np.float64)[sound.active[0] : sound.active[-1] + frame]
    frames = [sound.wave[a : a + frame].astype(np.float64) for a in sound.active]
    rms = np.sqrt(np.concatenate(frames).var())
    return wave[: LONGEST * RATE] * 10 ** ((LEVEL_DB + rng.uniform(-4, 4)) / 20) / rms


if __name__ == "__main__":
    main()
