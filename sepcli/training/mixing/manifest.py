"""Mixtures written down before they are mixed, in the rows of Hive (arXiv 2601.22599).

A row names its clips, the seconds that are cut from each, and the gains: `rms_gain` brings a
clip to an RMS of 0.1, `snr_db` moves it against the first one, `applied_weight` is both. All are
then scaled by `global_normalization_factor`, which leaves the loudest of the mixture and its
sources at a peak of 0.95, so that no file of them can clip. `sepcli.evaluation.datasets.hive`
reads the rows; its cuts are those that gains are measured on.

Seed and number decide a row, and so do the clips that there are to choose from.
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sepcli.audio.reader import probe
from sepcli.errors import ItemError, UsageError
from sepcli.evaluation.datasets import hive
from sepcli.evaluation.datasets.tables import read_jsonl
from sepcli.evaluation.scene import Array
from sepcli.parquet_file import read_parquet, write_parquet
from sepcli.training.config import MixingConfig
from sepcli.training.corpora.clip import Clip, Split
from sepcli.training.corpora.manifest import PARQUET, write_jsonl
from sepcli.training.mixing.draw import draw
from sepcli.training.mixing.level import LEVEL
from sepcli.training.mixing.pantry import Pantry, is_single
from sepcli.training.mixing.pools import refuse_too_few
from sepcli.whole_file import written_whole

PEAK = 0.95  # of what is loudest in a mixture, as in Hive
MARGIN = 0.02  # seconds of an active moment that a cut holds at least
DIGITS = 6  # of times in seconds
Broken = Callable[[Clip, ItemError], None]


@dataclass(frozen=True)
class Recipe:
    """How mixtures are drawn.

    Attributes:
        split: of the clips, and in the manifest's name.
        count: of mixtures.
        sources: fewest and most in a mixture.
        seconds: of a mixture.
        rate: of a mixture, Hz.
        snr_db: lowest and highest gain of a source against the first.
        seed: of everything random.
    """

    split: Split = "train"
    count: int = 1000
    sources: tuple[int, int] = (2, 5)
    seconds: float = 4.0
    rate: int = 44_100
    snr_db: tuple[float, float] = (-5.0, 5.0)
    seed: int = 0

    @property
    def mixing(self) -> MixingConfig:
        """What decides which clips meet."""
        counts = range(self.sources[0], self.sources[1] + 1)
        return MixingConfig(
            parts=1, sources=dict.fromkeys(counts, 1.0), backgrounds=0.0, captioned=0.0
        )


def usable(clips: Sequence[Clip], split: Split, broken: Broken) -> list[Clip]:
    """Single sounds of a split whose files are there, with their durations.

    Args:
        clips: of all splits.
        split: which to take.
        broken: is told of files that are missing or broken.

    Raises:
        UsageError: if there are none.
    """
    found = []
    for clip in clips:
        # Hive's rows have no word for a file's second audio stream.
        if clip.split == split and is_single(clip) and not clip.stream:
            try:
                seconds = probe(clip.path).seconds - clip.start
            except ItemError as error:
                broken(clip, error)
            else:
                found.append(replace(clip, duration=clip.duration or seconds))
    if not found:
        message = f"no single sounds that can be read in the split {split}"
        raise UsageError(message, "choose another --split, or add a corpus")
    return found


class Mixer:
    """Draws the rows of a manifest.

    Args:
        pantry: of clips to mix.
        recipe: how.
        root: paths in rows count from where Hive's reader looks for them below it.
        broken: is told of clips that cannot be heard; others take their place.
    """

    def __init__(self, pantry: Pantry, recipe: Recipe, root: Path, broken: Broken) -> None:
        self.pantry, self.recipe, self.broken = pantry, recipe, broken
        audio = root / "audio"
        self.home = audio if audio.is_dir() else root

    def rows(self) -> Iterator[dict[str, Any]]:
        """All rows, in order.

        Raises:
            UsageError: if too few clips can be heard.
        """
        for number in range(self.recipe.count):
            yield self._row(number)

    def _row(self, number: int) -> dict[str, Any]:
        while True:
            refuse_too_few(self.pantry, self.recipe.mixing, "all clips")
            rng = random.Random(f"{self.recipe.seed}/{number}")
            (clips,) = draw(self.pantry, self.recipe.mixing, rng)
            heard = [self._cut(clip, rng) for clip in clips]
            whole = [source for source in heard if source is not None]
            if len(whole) == len(clips):
                return self._written(number, clips, whole, rng)

    def _cut(self, clip: Clip, rng: random.Random) -> tuple[hive.Source, Array] | None:
        """What is taken of a clip, and its sound; None if it cannot be heard any more."""
        try:
            source = self._placed(clip, rng)
            samples = int(self.recipe.seconds * self.recipe.rate)
            wave = hive.cut(source, self.recipe.rate, samples)
            refuse_silence(clip, wave)
            return source, wave
        except ItemError as error:
            self.broken(clip, error)
            self.pantry = self.pantry.among(c for c in self.pantry.clips if c != clip)
            return None

    def _placed(self, clip: Clip, rng: random.Random) -> hive.Source:
        """Around one of a clip's active moments."""
        sound, length = self.pantry.sounds[clip], self.recipe.seconds
        duration = len(sound.wave) / sound.rate
        moment = int(rng.choice(sound.active)) / sound.rate
        first = min(moment - rng.uniform(0, max(0.0, length - MARGIN)), duration - length)
        start = round(clip.start + max(0.0, first), DIGITS)
        held = min(length, duration)
        chunk = (start, round(start + held, DIGITS))
        label = self.pantry.ontology.names(clip.label)[0]
        return hive.Source(clip.path, label, 0.0, chunk, (0.0, round(held, DIGITS)), 1.0)

    def _written(
        self,
        number: int,
        clips: list[Clip],
        heard: list[tuple[hive.Source, Array]],
        rng: random.Random,
    ) -> dict[str, Any]:
        """A row, its gains from the sounds."""
        snrs = [0.0] + [round(rng.uniform(*self.recipe.snr_db), 2) for _ in clips[1:]]
        gains = [LEVEL / rms(wave) for _, wave in heard]
        weights = [gain * 10 ** (snr / 20) for gain, snr in zip(gains, snrs, strict=True)]
        waves = [weight * wave for weight, (_, wave) in zip(weights, heard, strict=True)]
        mixture = np.sum(waves, axis=0)
        factor = PEAK / max(float(np.abs(wave).max()) for wave in (mixture, *waves))
        rows = zip(heard, gains, snrs, weights, strict=True)
        return {
            "mix_id": f"mix_{number:08}",
            "split": self.recipe.split,
            "sample_rate": self.recipe.rate,
            "target_duration": self.recipe.seconds,
            "num_sources": len(heard),
            "sources": [
                self._entry(place, source, gain, snr, weight)
                for place, ((source, _), gain, snr, weight) in enumerate(rows, 1)
            ],
            "global_normalization_factor": factor,
            "final_max_amplitude": factor * float(np.abs(mixture).max()),
        }

    def _entry(
        self, place: int, source: hive.Source, gain: float, snr: float, weight: float
    ) -> dict[str, Any]:
        return {
            "source_id": f"s{place}",
            "path": Path(os.path.relpath(source.path, self.home)).as_posix(),
            "label": source.label,
            "crop_start_second": source.crop[0],
            "crop_end_second": source.crop[1],
            "chunk_start_second": source.chunk[0],
            "chunk_end_second": source.chunk[1],
            "rms_gain": gain,
            "snr_db": snr,
            "applied_weight": weight,
        }


def refuse_silence(clip: Clip, wave: Array) -> None:
    """Raise ItemError if nothing is heard of a clip."""
    if not wave.any():
        raise ItemError(f"silence where {clip.path} was loud", "drop it from the corpus")


def rms(wave: Array) -> float:
    """Root mean square."""
    return math.sqrt(float(np.square(wave).mean()))


def write_mixtures(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows as JSON lines or, by the suffix .parquet, as Parquet; all of them or nothing.

    Raises:
        UsageError: if Parquet is asked for and pyarrow is not installed.
        OutputError: if the disk is full or read-only.
    """
    if path.suffix == PARQUET:
        with written_whole(path) as partial:
            write_parquet(partial, rows)
    else:
        write_jsonl(path, rows)


def read_mixtures(path: Path) -> list[dict[str, Any]]:
    """The rows of a manifest.

    Raises:
        UsageError: if it is broken.
    """
    if path.suffix == PARQUET:
        return read_parquet(path)
    return [row for _, row in read_jsonl(path)]
