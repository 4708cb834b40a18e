"""What users ask for most: speech out of music or noise, a guitar out of its band.

    python benchmarks/kinds.py DATA [--model NAME] [--write]

DATA holds `sounds/` and `multitrack/`. Speech is of test packages; the music is the bands of
`multitrack/`, the noise fold 4's rain and sea waves; every clip of speech with four pieces of each,
5 s at 44.1 kHz, both sounds at equal level, seeded. The guitars are mixed with their own bands as
they are, in pieces of 5 s in which both are heard. Nothing of this was trained on. Improvements of
SDR and SI-SDR of the sound that is asked for, with 95 % intervals over recordings. --write puts
them into benchmarks/results/kinds.json.
"""

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from sepcli.evaluation.datasets.zero_db import DEMO, DEMO_SET
from sepcli.evaluation.estimating import Separator
from sepcli.evaluation.metrics.sdr import sdr
from sepcli.evaluation.metrics.si_sdr import si_sdr
from sepcli.evaluation.mixtures import RATE, SAMPLES, window
from sepcli.evaluation.statistics import Interval, bootstrap_ci
from sepcli.registry.load import load
from sepcli.registry.store import Registry
from sepcli.separation.options import SeparateOptions
from sepcli.training.corpora.readers.package_sounds import read_sounds
from sepcli.training.mixing.level import at_level

HERE = Path(__file__).parent
PARTNERS = 4  # of every clip of speech
QUIETEST_DB = -20.0  # of guitar against band, or the other way round, in a piece that counts

Pair = tuple[np.ndarray, np.ndarray]  # what is asked for, and the rest; (samples,)
Case = tuple[str, Pair]  # with the name of the recording


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    loaded = load(Registry().find(given.model))
    separator = Separator(loaded, SeparateOptions(inputs=()))
    sets = {
        "speech_in_music": ("speech", speech_with(given.data, music(given.data))),
        "speech_in_noise": ("speech", speech_with(given.data, noise())),
        "guitar_in_band": ("electric guitar", guitars(given.data)),
    }
    figures = {
        "model": loaded.model.name,
        "fingerprint": loaded.fingerprint,
        "sets": {name: scored(separator, *row) for name, row in sets.items()},
    }
    text = json.dumps(figures, indent=1)
    print(text)
    if given.write:
        (HERE / "results/kinds.json").write_text(text + "\n")


def scored(separator: Separator, query: str, pairs: Iterator[Case]) -> dict:
    """Mean improvements with their intervals over recordings."""
    rows = [(name, *improvements(separator, query, *pair)) for name, pair in pairs]
    names = [row[0] for row in rows]
    means = {
        column: bootstrap_ci([row[i] for row in rows], names)
        for i, column in enumerate(("sdri", "si_sdri"), 1)
    }
    shown = {column: figures_of(mean) for column, mean in means.items()}
    return {"query": query, "mixtures": len(rows), "recordings": len(set(names)), **shown}


def figures_of(mean: Interval) -> dict[str, float | None]:
    """A mean; without an interval where there are too few recordings for one."""
    ends = {"low": mean.low, "high": mean.high}
    return {"mean": mean.point} | {k: None if np.isnan(v) else v for k, v in ends.items()}


def improvements(
    separator: Separator, query: str, wanted: np.ndarray, rest: np.ndarray
) -> tuple[float, float]:
    """Of SDR and SI-SDR, dB."""
    mixture = (wanted + rest)[None].astype(np.float32)
    estimate = separator.ask_texts(mixture, RATE, [query]).stems[0]
    reference = wanted[None]
    return (
        sdr(reference, estimate) - sdr(reference, mixture),
        si_sdr(reference, estimate) - si_sdr(reference, mixture),
    )


def speech_with(data: Path, others: list[np.ndarray]) -> Iterator[Case]:
    """Speech of test packages with other sounds at equal level."""
    rng = random.Random("speech")
    for clip in read_sounds(data / "sounds"):
        if clip.split == "test" and clip.label.startswith("speech"):
            for other in rng.sample(others, PARTNERS):
                yield f"{clip.label}/{clip.path.name}", (at_level(window(clip.path)), other)


def music(data: Path) -> list[np.ndarray]:
    """Pieces of bands, at one level."""
    return [at_level(band) for _, (_, band) in pieces(data)]


def noise() -> list[np.ndarray]:
    """Fold 4's rain and sea waves, at that level."""
    files = [*DEMO_SET.clips["rain"], *DEMO_SET.clips["sea_waves"]]
    return [at_level(window(DEMO / file)) for file in files]


def guitars(data: Path) -> Iterator[Case]:
    """Guitars with their bands, where neither is nearly silent."""
    for song, (guitar, band) in pieces(data):
        ratio = 10 * np.log10((np.square(guitar).mean() + 1e-9) / (np.square(band).mean() + 1e-9))
        if abs(ratio) < -QUIETEST_DB:
            yield song, (guitar, band)


def pieces(data: Path) -> Iterator[Case]:
    """Guitar and band of every song, SAMPLES at a time, the channels' mean."""
    for song in sorted(path for path in (data / "multitrack").iterdir() if path.is_dir()):
        guitar, band = (mono(song / f"{stem}.ogg") for stem in ("guitar", "band"))
        for start in range(0, len(guitar) - SAMPLES + 1, SAMPLES):
            piece = slice(start, start + SAMPLES)
            yield song.name, (guitar[piece], band[piece])


def mono(path: Path) -> np.ndarray:
    """(samples,) at RATE, the channels' mean."""
    wave, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == RATE
    return wave.mean(axis=1)


if __name__ == "__main__":
    main()
