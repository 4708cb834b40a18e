"""SI-SDR against closed forms, its three readings in stereo, and other systems' formulas."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sepcli.errors import ItemError
from sepcli.evaluation.metrics import si_sdr
from sepcli.evaluation.metrics.si_sdr import AUDIOSEP_EPS
from sepcli.evaluation.scene import Array, Compat, Scene

Pair = tuple[Array, Array]


@pytest.mark.parametrize("compat", ["sepcli", "museval", "audiosep", "mdx", "msst"])
@pytest.mark.parametrize("level", [1.0, 0.1, 0.01])
def test_orthogonal_noise(orthogonal: Pair, level: float, compat: Compat) -> None:
    s, n = orthogonal
    expected = -20 * math.log10(level)
    assert si_sdr.si_sdr(s, s + level * n, compat) == pytest.approx(expected, abs=1e-5)


def test_it_is_deaf_to_gain_and_polarity(orthogonal: Pair) -> None:
    s, n = orthogonal
    for gain in (0.5, 3.0, -1.0):
        assert si_sdr.si_sdr(s, gain * (s + 0.1 * n)) == pytest.approx(20)


def test_means_are_removed_by_si_snr_only(orthogonal: Pair) -> None:
    s = np.array([1.0, -1.0, 1.0, -1.0])
    assert si_sdr.si_sdr(s, s + 1) == pytest.approx(0)
    assert si_sdr.si_snr(s, s + 1) == math.inf
    stereo, n = orthogonal
    offsets = np.array([[5.0], [-2.0]])  # each channel loses its own
    plain = si_sdr.si_snr(stereo, stereo + 0.1 * n)
    assert si_sdr.si_snr(stereo, stereo + 0.1 * n + offsets) == pytest.approx(plain)
    assert si_sdr.si_snr(stereo + offsets, stereo + 0.1 * n) == pytest.approx(plain)


def test_silence_and_perfection(orthogonal: Pair) -> None:
    s, n = orthogonal
    silence = np.zeros_like(s)
    assert si_sdr.si_sdr(s, 0.5 * s) == math.inf
    assert si_sdr.si_sdr(s, 0.3 * s) > 280
    assert si_sdr.si_sdr(s, silence) == -math.inf
    assert si_sdr.si_sdr(s, n) < -280
    assert math.isnan(si_sdr.si_sdr(silence, s))
    assert math.isnan(si_sdr.si_snr(np.ones((1, 9)), np.ones((1, 9))))


def test_three_readings_in_stereo() -> None:
    """Right channel at 0.7 of its level, noise 18 dB down: one scale for both is 4.8 dB stricter.

    The best single scale of a source with equal energy in both channels is a = (1 + 0.7) / 2,
    and its misplaced level costs (1 - a)^2 + (0.7 - a)^2 of 2 a^2.
    """
    s, n = np.random.default_rng(1).standard_normal((2, 1, 200_000))
    centred, panned = np.repeat(s, 2, axis=0), np.array([[1.0], [0.7]])
    e = (s + 10 ** (-18 / 20) * n) * panned
    a, noise = 0.85, 10**-1.8
    misplaced = (1 - a) ** 2 + (0.7 - a) ** 2
    expected = 10 * math.log10(2 * a**2 / (misplaced + noise * (1 + 0.7**2)))
    assert expected == pytest.approx(13.24, abs=0.01)
    assert si_sdr.si_sdr(centred, e) == pytest.approx(expected, abs=0.05)
    by_channel = [si_sdr.si_sdr(centred[c], e[c]) for c in range(2)]
    assert by_channel == pytest.approx([18, 18], abs=0.05)
    assert si_sdr.si_sdr(centred.mean(axis=0), e.mean(axis=0)) == pytest.approx(18, abs=0.05)


def test_opposite_channels_are_no_silence(orthogonal: Pair) -> None:
    x, n = (signal[:1] for signal in orthogonal)
    s = np.concatenate([x, -x])
    assert math.isfinite(si_sdr.si_sdr(s, s + np.concatenate([n, n])))


def test_a_noisy_reference_sets_a_limit_that_noise_lifts(orthogonal: Pair) -> None:
    """With a reference 20 dB clean, the clean source itself scores 20 dB, and less than a copy
    of the noise."""
    source, noise = orthogonal
    reference = source + 0.1 * noise
    assert si_sdr.si_sdr(reference, source) == pytest.approx(20)
    assert si_sdr.si_sdr(reference, source + 0.05 * noise) > 25


def test_msst_adds_epsilon_to_every_sample() -> None:
    """A minute at an RMS of 1e-5: 2.6e6 samples times 1e-8 is a hundred times the stem's energy."""
    samples = 44100 * 60
    time = np.arange(samples) / 44100
    s = 1e-5 * math.sqrt(2) * np.sin(2 * np.pi * 441 * time)[None]
    n = 1e-6 * math.sqrt(2) * np.cos(2 * np.pi * 441 * time)[None]
    assert si_sdr.si_sdr(s, s + n) == pytest.approx(20)
    scale = (1e-10 + 1e-8) / (1e-10 + 1e-8)  # both sums gain the same: the scale survives
    noise = samples * ((1 - scale) ** 2 * 1e-10 + 1e-12)
    expected = 10 * math.log10(samples * scale**2 * 1e-10 / (noise + 1e-8) + 1e-8)
    assert si_sdr.si_sdr(s, s + n, "msst") == pytest.approx(expected)
    halved = (0.5e-10 + 1e-8) / (1e-10 + 1e-8)  # but not that of an estimate at half the level
    noise = samples * ((halved - 0.5) ** 2 * 1e-10 + 0.25e-12)
    expected = 10 * math.log10(samples * halved**2 * 1e-10 / (noise + 1e-8) + 1e-8)
    assert si_sdr.si_sdr(s, 0.5 * (s + n), "msst") == pytest.approx(expected)
    assert expected == pytest.approx(6.02, abs=0.01)  # true: 20


def test_audiosep_adds_single_precisions_epsilon_to_every_sum() -> None:
    s, n = np.array([[1e-4, 0.0]]), np.array([[0.0, 1e-5]])
    assert si_sdr.si_sdr(s, s + n) == pytest.approx(20)
    eps = AUDIOSEP_EPS
    assert eps == pytest.approx(1.1920929e-7)
    expected = 10 * math.log10((1e-8 + eps) / (1e-10 + eps))
    assert si_sdr.si_sdr(s, s + n, "audiosep") == pytest.approx(expected)
    scale = (2e-8 + eps) / (1e-8 + eps)
    expected = 10 * math.log10((scale**2 * 1e-8 + eps) / ((2 - scale) ** 2 * 1e-8 + eps))
    assert si_sdr.si_sdr(s, 2 * s, "audiosep") == pytest.approx(expected)


def test_other_systems_answer_for_silence() -> None:
    s, silence = np.full((1, 100), 0.1), np.zeros((1, 100))
    eps = AUDIOSEP_EPS
    scale = eps / (1 + eps)
    expected = 10 * math.log10((scale**2 + eps) / (scale**2 + eps))
    assert si_sdr.si_sdr(s, silence, "audiosep") == pytest.approx(expected)
    assert np.isfinite(si_sdr.si_sdr(silence, s, "audiosep"))
    assert si_sdr.si_sdr(silence, s, "msst") == pytest.approx(-80)
    assert si_sdr.si_sdr(silence, silence, "msst") == pytest.approx(-80)


def test_improvement(orthogonal: Pair) -> None:
    s, n = orthogonal
    assert si_sdr.improvement(s, s + 0.1 * n, s + n) == pytest.approx(20)
    assert si_sdr.improvement(s, n, n, "msst") == 0


def test_scenes(orthogonal: Pair) -> None:
    s, n = orthogonal
    scene = Scene(44100, ("s", "n"), np.stack([s, n]), np.stack([s + 0.1 * n, 0 * n]), s + n)
    scores = si_sdr.evaluate(scene)
    assert scores["si_sdr"] == pytest.approx([20, -math.inf])
    assert scores["si_sdri"] == pytest.approx([20, -math.inf])
    assert scores["si_snr"][0] == pytest.approx(si_sdr.si_snr(s, s + 0.1 * n))
    other = si_sdr.evaluate(scene, "audiosep")
    assert other["si_sdr"][1] == pytest.approx(si_sdr.si_sdr(n, 0 * n, "audiosep"))
    assert other["si_sdri"][1] == pytest.approx(si_sdr.improvement(n, 0 * n, s + n, "audiosep"))


def test_what_cannot_be_compared(make_scene: Any) -> None:
    for metric in (si_sdr.si_sdr, si_sdr.si_snr):
        with pytest.raises(ItemError, match="differ in shape"):
            metric(np.ones(3), np.ones(4))
    with pytest.raises(ItemError, match="NaN"):
        si_sdr.evaluate(replace(make_scene(), estimates=np.full((2, 2, 19200), np.nan)))
