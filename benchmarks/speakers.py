"""Two people talking at once, short and long: how well they are parted, and whether they stay so.

    python benchmarks/speakers.py DATA --model FOLDER [--write]

DATA holds `sounds/`. A man's and a woman's clips, of one package that the model was not trained on,
follow one another in an order of chance, with pauses of 0.2 to 0.8 s; both sides at equal level, at
16 kHz, seeded. The packages are 0ad-data, which examples/train_speakers.yaml validates on, and
flare-game, a test package with 12 clips. A side is of one sex, not of one person.

- SI-SDRi: improvement of SI-SDR of both sides, in the order of outputs that fits the whole mixture
  best, with a 95 % interval over mixtures;
- kept: of pieces of 2 s in which both are heard, the share in which the outputs are in that order;
- whole: the share of mixtures in which all of them are;
- by chance: `kept` if windows are joined as the network gave them, without `stitching.py`.
"""

import argparse
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from sepcli.evaluation.estimating import Separator
from sepcli.evaluation.permutation import best_permutation, pairwise_si_sdr
from sepcli.evaluation.statistics import bootstrap_ci
from sepcli.registry.load import LoadedModel, load
from sepcli.registry.store import Registry
from sepcli.separation.options import SeparateOptions
from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.readers.package_sounds import read_sounds
from sepcli.training.corpora.sounds import SilentClip
from sepcli.training.corpora.sounds import load as load_sound
from sepcli.training.mixing.level import active_rms, at_level

HERE = Path(__file__).parent
RATE = 16_000  # Hz
SIDES = ("speech_male", "speech_female")
PACKAGES = ("0ad-data", "flare-game")
LENGTHS = {"short": (4, 40), "long": (60, 12)}  # seconds, mixtures
PAUSES = (0.2, 0.8)  # seconds
PIECE = 2 * RATE  # samples
HEARD = 0.03  # RMS of a side in a piece, of its RMS while it sounds, from which it is heard

Sides = np.ndarray  # (2, samples)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    loaded = load(Registry().find(given.model))
    clips = [clip for clip in read_sounds(given.data / "sounds") if clip.label in SIDES]
    sets = {
        f"{package}, {length}": scored(loaded, [c for c in clips if c.origin == package], length)
        for package in PACKAGES
        for length in LENGTHS
    }
    figures = {"model": loaded.model.entry.summary, "fingerprint": loaded.fingerprint, "sets": sets}
    text = json.dumps(figures, indent=1)
    print(text)
    if given.write:
        (HERE / "results/speakers.json").write_text(text + "\n", encoding="utf-8")


def scored(loaded: LoadedModel, clips: list[Clip], length: str) -> dict:
    """Figures of all mixtures of a length."""
    talks = list(mixtures(clips, *LENGTHS[length]))
    rows = [measured(loaded, sides) for sides in talks]
    plain = [measured(in_any_order(loaded), sides)[1] for sides in talks]
    gains = [gain for gain, _ in rows]
    mean = bootstrap_ci(gains, [str(number) for number in range(len(gains))])
    return {
        "mixtures": len(rows),
        "seconds": LENGTHS[length][0],
        "si_sdri": {"mean": mean.point, "low": mean.low, "high": mean.high},
        "kept": share([kept for _, pieces in rows for kept in pieces]),
        "whole": share([all(pieces) for _, pieces in rows]),
        "by_chance": share([kept for pieces in plain for kept in pieces]),
    }


def in_any_order(loaded: LoadedModel) -> LoadedModel:
    """The model with outputs that are joined as they come."""
    entry = loaded.model.entry.model_copy(update={"unordered": False})
    return replace(loaded, model=replace(loaded.model, entry=entry))


def measured(loaded: LoadedModel, sides: Sides) -> tuple[float, list[bool]]:
    """SI-SDRi of a mixture, dB, and of each piece whether it has the order of the whole."""
    separator = Separator(loaded, SeparateOptions(inputs=()))
    mixture = sides.sum(axis=0, keepdims=True)
    given = separator.ask_stems(mixture, RATE, separator.fixed_stems or ()).stems
    truth = sides[:, None]
    order = best_permutation(truth, given)
    after = np.diag(pairwise_si_sdr(truth, given[order]))
    before = pairwise_si_sdr(truth, mixture[None])[:, 0]
    return float((after - before).mean()), list(orders_kept(truth, given[order]))


def orders_kept(truth: np.ndarray, given: np.ndarray) -> Iterator[bool]:
    """Of every piece in which both sides are heard."""
    least = [HEARD * active_rms(side) for side in truth[:, 0]]
    for start in range(0, truth.shape[-1] - PIECE + 1, PIECE):
        piece = np.s_[..., start : start + PIECE]
        levels = np.sqrt(np.square(truth[piece]).mean(axis=(1, 2)))
        if (levels > least).all():
            yield best_permutation(truth[piece], given[piece]) == [0, 1]


def share(outcomes: list[bool]) -> float:
    return round(float(np.mean(outcomes)), 3)


def mixtures(clips: list[Clip], seconds: int, count: int) -> Iterator[Sides]:
    """Both sides of every mixture."""
    waves = {side: list(sounding(c for c in clips if c.label == side)) for side in SIDES}
    for number in range(count):
        rng = random.Random(f"speakers/{seconds}/{number}")
        yield np.stack([at_level(talk(waves[side], seconds, rng)) for side in SIDES])


def sounding(clips: Iterator[Clip]) -> Iterator[np.ndarray]:
    """What is heard in clips, (samples,) each."""
    for clip in clips:
        try:
            yield at_level(load_sound(clip, RATE).wave.astype(np.float32))
        except SilentClip:
            continue


def talk(waves: list[np.ndarray], seconds: int, rng: random.Random) -> np.ndarray:
    """(samples,): clips one after another, none twice before all were heard."""
    parts, samples = [], 0
    while samples < seconds * RATE:
        for wave in rng.sample(waves, len(waves)):
            pause = np.zeros(round(rng.uniform(*PAUSES) * RATE), np.float32)
            parts += [pause, wave]
            samples += len(pause) + len(wave)
    return np.concatenate(parts)[: seconds * RATE]


if __name__ == "__main__":
    main()
