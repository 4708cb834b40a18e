"""What overlapping windows buy: quality against cost.

    python benchmarks/overlap.py DATA [--model NAME] [--write]

DATA holds `esc10/`. Minutes of two sounds at equal level, each a chain of validation clips of one
label (folds that the shipped model was not tested on, clips that it was not trained on), at 32 kHz.
The network hears every minute in windows of several lengths, contexts and fades, with starts on the
grid of the frames it pools and off it, and once as a whole. Mean improvement of SDR over the
minutes, agreement with the whole (SDR of the one stem as an estimate of the other), and cost:
seconds heard for a second of recording. The default of the registry's `windows` is chosen from this
curve. --write puts it into benchmarks/results/overlap.json.
"""

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sepcli.audio.windows import Joiner, Layout, cut
from sepcli.evaluation.metrics.sdr import sdr
from sepcli.registry.load import LoadedModel, load
from sepcli.registry.store import Registry
from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.readers.esc import read_esc10
from sepcli.training.corpora.sounds import load as load_sound
from sepcli.training.mixing.level import at_level
from sepcli.training.ontology import Ontology

HERE = Path(__file__).parent
RATE = 32_000  # Hz
SECONDS = 60
MINUTES = 10
# window, context and fade, s
LAYOUTS = (
    (10.0, 0.0, 0.01),
    (10.0, 0.0, 0.25),
    (10.0, 0.25, 0.25),
    (10.0, 0.5, 0.25),
    (10.0, 1.0, 0.25),
    (10.0, 2.0, 0.5),
    (5.0, 0.5, 0.25),
    (20.0, 0.5, 0.25),
)


@dataclass(frozen=True)
class Minute:
    """A mixture, and what is asked for; (samples,)."""

    phrase: str
    wanted: np.ndarray
    mixture: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    loaded = load(Registry().find(given.model))
    if loaded.tells_presence:
        loaded.network.presence = None  # the stems do not depend on it
    minutes = list(read_minutes(given.data))
    whole = [heard(loaded, minute, None) for minute in minutes]
    rows = [
        {"window": length, "context": context, "fade": fade, "on_grid": on_grid}
        | row(loaded, minutes, whole, Layout.of(RATE, length, context, fade, grid))
        for length, context, fade in LAYOUTS
        for on_grid, grid in ((True, loaded.grid(RATE)), (False, 1))
    ]
    figures = {
        "model": loaded.model.name,
        "fingerprint": loaded.fingerprint,
        "minutes": len(minutes),
        "whole_sdri": improvement(minutes, whole),
        "rows": rows,
    }
    text = json.dumps(figures, indent=1)
    print(text)
    if given.write:
        (HERE / "results/overlap.json").write_text(text + "\n")


def row(
    loaded: LoadedModel, minutes: list[Minute], whole: list[np.ndarray], layout: Layout
) -> dict[str, float]:
    """What a layout gives, and costs."""
    stems = [heard(loaded, minute, layout) for minute in minutes]
    agreement = [sdr(one[None], other[None]) for one, other in zip(whole, stems, strict=True)]
    return {
        "sdri": improvement(minutes, stems),
        "agreement": round(float(np.mean(agreement)), 2),
        "cost": round(layout.window / layout.hop, 3),
    }


def improvement(minutes: list[Minute], stems: list[np.ndarray]) -> float:
    """Mean improvement of SDR, dB."""
    gains = [
        sdr(minute.wanted[None], stem[None]) - sdr(minute.wanted[None], minute.mixture[None])
        for minute, stem in zip(minutes, stems, strict=True)
    ]
    return round(float(np.mean(gains)), 3)


@torch.inference_mode()
def heard(loaded: LoadedModel, minute: Minute, layout: Layout | None) -> np.ndarray:
    """The stem of a minute, in windows or as a whole, (samples,)."""
    query = loaded.encoder.embed_texts([minute.phrase])
    if layout is None:
        return asked(loaded, torch.from_numpy(minute.mixture), query).numpy()
    joiner, parts = Joiner(layout), []
    for window in cut([minute.mixture[:, None]], layout):
        stem = asked(loaded, torch.from_numpy(window.wave[:, 0].copy()), query)
        parts.append(joiner.add(window, stem[None, :, None].numpy()))
    return np.concatenate(parts, axis=1)[0, :, 0]


def asked(loaded: LoadedModel, wave: Tensor, query: Tensor) -> Tensor:
    """(samples,) -> (samples,)"""
    stems, _ = loaded.network(wave[None, None], query, RATE)
    return stems[0, 0, 0]


def read_minutes(data: Path) -> Iterator[Minute]:
    """Seeded pairs of labels, each a chain of validation clips."""
    clips: dict[str, list[Clip]] = defaultdict(list)
    for clip in read_esc10(data / "esc10"):
        if clip.split == "validation":
            clips[clip.label].append(clip)
    ontology, rng = Ontology.read(None), random.Random("overlap")
    for _ in range(MINUTES):
        wanted, other = rng.sample(sorted(clips), 2)
        chains = [at_level(chain(clips[label], rng)) for label in (wanted, other)]
        mixture = np.sum(chains, axis=0, dtype=np.float32)
        yield Minute(ontology.phrases[wanted][0], chains[0], mixture)


def chain(clips: list[Clip], rng: random.Random) -> np.ndarray:
    """A minute of clips one after another, (samples,)."""
    parts, samples = [], 0
    while samples < SECONDS * RATE:
        wave = load_sound(rng.choice(clips), RATE).wave.astype(np.float32)
        parts.append(wave)
        samples += len(wave)
    return np.concatenate(parts)[: SECONDS * RATE]


if __name__ == "__main__":
    main()
