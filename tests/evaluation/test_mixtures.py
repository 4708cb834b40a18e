"""Mixtures at 0 dB: drawn with a seed, of equal levels, of clips of any length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.evaluation.mixtures import (
    PAUSE,
    RATE,
    SAMPLES,
    draw_pairs,
    read_manifest,
    sources_of,
    window,
    write_manifest,
)
from sepcli.training.corpora.readers.esc import read_esc10
from sepcli.training.mixing.level import active_rms
from sepcli.training.ontology import Ontology

DATA = Path(__file__).parents[1] / "data/esc10"


def test_pairs_are_seeded_and_unlike(tmp_path: Path) -> None:
    clips = list(read_esc10(DATA))
    ontology = Ontology.load()
    pairs = draw_pairs(clips, DATA, 2, ontology, seed=1)
    assert pairs == draw_pairs(clips, DATA, 2, ontology, seed=1)
    assert pairs != draw_pairs(clips, DATA, 2, ontology, seed=2)
    for pair in pairs:
        heard = {ontology.groups[x] for x in pair.labels}
        assert len(heard) == 2
        assert ontology.groups[pair.absent] not in heard
    write_manifest(tmp_path / "pairs.jsonl", pairs)
    assert read_manifest(tmp_path / "pairs.jsonl") == pairs


def test_mixtures_are_at_0_db() -> None:
    pair = draw_pairs(list(read_esc10(DATA)), DATA, 1, Ontology.load(), seed=0)[0]
    sources = sources_of(pair, DATA)
    assert sources.shape == (2, SAMPLES)
    assert active_rms(sources[0]) == pytest.approx(active_rms(sources[1]), rel=1e-5)


def test_short_clips_are_repeated_after_a_pause(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(RATE, 0.5), RATE)
    wave = window(tmp_path / "a.wav")
    assert np.all(wave[:RATE] == 0.5)
    assert not wave[RATE : RATE + PAUSE].any()
    assert np.all(wave[RATE + PAUSE : 2 * RATE + PAUSE] == 0.5)
