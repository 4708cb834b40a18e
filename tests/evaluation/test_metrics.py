"""Metrics against closed forms and mir_eval."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.evaluation.metrics import sdr, si_sdr
from sepcli.evaluation.mixtures import (
    RATE,
    SAMPLES,
    draw_pairs,
    read_pairs,
    sources_of,
    write_pairs,
)
from sepcli.training.corpus import read_esc10
from sepcli.training.mixing import active_rms
from sepcli.training.ontology import Ontology

DATA = Path(__file__).parents[1] / "data/esc10"


@pytest.fixture
def signals() -> tuple[np.ndarray, np.ndarray]:
    """Two orthogonal signals of equal energy, (samples, channels)."""
    rng = np.random.default_rng(0)
    s, n = rng.standard_normal((2, 4000, 2))
    n -= (n * s).sum() / (s * s).sum() * s
    return s, n * np.sqrt((s * s).sum() / (n * n).sum())


@pytest.mark.parametrize("level", [1.0, 0.1, 0.01])
def test_orthogonal_noise(signals: tuple[np.ndarray, np.ndarray], level: float) -> None:
    s, n = signals
    expected = -20 * math.log10(level)
    assert sdr.sdr(s, s + level * n) == pytest.approx(expected)
    assert si_sdr.si_sdr(s, s + level * n) == pytest.approx(expected)


def test_only_sdr_hears_the_gain(signals: tuple[np.ndarray, np.ndarray]) -> None:
    s, n = signals
    assert sdr.sdr(s, 0.5 * s) == pytest.approx(20 * math.log10(2))
    estimate = s + 0.1 * n
    assert si_sdr.si_sdr(s, 0.5 * estimate) == pytest.approx(si_sdr.si_sdr(s, estimate))
    assert si_sdr.si_sdr(s, -estimate) == pytest.approx(20)
    assert sdr.sdr(s, -s) == pytest.approx(-20 * math.log10(2))


def test_means_are_not_removed() -> None:
    s = np.array([1.0, -1.0, 1.0, -1.0])
    assert si_sdr.si_sdr(s, s + 1) == pytest.approx(0)


def test_limits(signals: tuple[np.ndarray, np.ndarray]) -> None:
    s, n = signals
    assert sdr.sdr(s, s) == math.inf
    assert sdr.sdr(s, np.zeros_like(s)) == 0
    assert si_sdr.si_sdr(s, np.zeros_like(s)) in (-math.inf, math.inf)
    assert si_sdr.si_sdr(s, n) < -100
    assert sdr.ratio_db(0, 1) == -math.inf


def test_improvements(signals: tuple[np.ndarray, np.ndarray]) -> None:
    s, n = signals
    assert sdr.improvement(s, s + 0.1 * n, s + n) == pytest.approx(20)
    assert si_sdr.improvement(s, s + 0.1 * n, s + n) == pytest.approx(20)


@pytest.mark.parametrize(
    ("reference", "estimate", "message"),
    [
        (np.ones(3), np.ones(4), "differ in shape"),
        (np.zeros(3), np.ones(3), "silent"),
        (np.ones(3), np.array([1, np.nan, 1]), "NaN"),
    ],
)
def test_what_cannot_be_compared(reference: np.ndarray, estimate: np.ndarray, message: str) -> None:
    for metric in (sdr.sdr, si_sdr.si_sdr):
        with pytest.raises(ValueError, match=message):
            metric(reference, estimate)


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
    write_pairs(tmp_path / "pairs.jsonl", pairs)
    assert read_pairs(tmp_path / "pairs.jsonl") == pairs


def test_mixtures_are_at_0_db() -> None:
    pair = draw_pairs(list(read_esc10(DATA)), DATA, 1, Ontology.load(), seed=0)[0]
    sources = sources_of(pair, DATA)
    assert sources.shape == (2, SAMPLES)
    assert active_rms(sources[0]) == pytest.approx(active_rms(sources[1]), rel=1e-5)


def test_short_clips_are_repeated_after_a_pause(tmp_path: Path) -> None:
    from sepcli.evaluation.mixtures import PAUSE, window

    soundfile.write(tmp_path / "a.wav", np.full(RATE, 0.5), RATE)
    wave = window(tmp_path / "a.wav")
    assert np.all(wave[:RATE] == 0.5)
    assert not wave[RATE : RATE + PAUSE].any()
    assert np.all(wave[RATE + PAUSE : 2 * RATE + PAUSE] == 0.5)
