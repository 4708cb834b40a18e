"""SDR against closed forms and the formulas of other systems."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sepcli.errors import ItemError
from sepcli.evaluation.metrics import sdr
from sepcli.evaluation.scene import Array, Compat, Scene

Pair = tuple[Array, Array]
COMPATS: tuple[Compat, ...] = ("sepcli", "museval", "audiosep", "mdx", "msst")


@pytest.mark.parametrize("compat", COMPATS)
@pytest.mark.parametrize("level", [1.0, 0.1, 0.01])
def test_orthogonal_noise_in_every_compat_mode(
    orthogonal: Pair, level: float, compat: Compat
) -> None:
    s, n = orthogonal
    expected = -20 * math.log10(level)
    assert sdr.sdr(s, s + level * n, compat) == pytest.approx(expected, abs=1e-5)


def test_it_hears_gain_and_polarity(orthogonal: Pair) -> None:
    s, _ = orthogonal
    assert sdr.sdr(s, 0.5 * s) == pytest.approx(20 * math.log10(2))
    assert sdr.sdr(s, -s) == pytest.approx(-20 * math.log10(2))


def test_channels_are_summed_before_the_ratio() -> None:
    s = np.array([[3.0, 0.0], [0.0, 4.0]])
    error = np.array([[0.0, 1.0], [2.0, 0.0]])
    assert sdr.sdr(s, s + error) == pytest.approx(10 * math.log10(25 / 5))


def test_silence_and_perfection(orthogonal: Pair) -> None:
    s, _ = orthogonal
    silence = np.zeros_like(s)
    assert sdr.sdr(s, s) == math.inf
    assert sdr.sdr(s, silence) == 0
    assert math.isnan(sdr.sdr(silence, s))
    assert math.isnan(sdr.sdr(silence, silence))
    assert math.isnan(sdr.sdr(silence, s, "museval"))


def test_opposite_channels_are_no_silence(orthogonal: Pair) -> None:
    """A test for silence that adds channels first would call this stereo signal silent."""
    x = orthogonal[0][:1]
    s = np.concatenate([x, -x])
    assert sdr.sdr(s, 0.9 * s) == pytest.approx(20)


def test_other_systems_answer_for_silence_and_perfection() -> None:
    s, silence = np.full((1, 1000), 0.1), np.zeros((1, 1000))  # energy 10, mean square 0.01
    for compat, delta in (("mdx", 1e-7), ("msst", 1e-8)):
        best = 10 * math.log10((10 + delta) / delta)
        assert sdr.sdr(s, s, compat) == pytest.approx(best)
        assert sdr.sdr(silence, s, compat) == pytest.approx(-best)
        assert sdr.sdr(silence, silence, compat) == 0
    assert sdr.sdr(s, s, "audiosep") == pytest.approx(80)
    assert sdr.sdr(silence, s, "audiosep") == pytest.approx(-80)
    assert sdr.sdr(silence, silence, "audiosep") == 0


def quiet_pair(samples: int = 44100) -> Pair:
    """15.74 dB apart, at an RMS of -80 dB below 0.05."""
    time = np.arange(samples) / 44100
    s = 0.05 * math.sqrt(2) * np.sin(2 * np.pi * 441 * time)[None]
    error = 0.05 * math.sqrt(2) * np.cos(2 * np.pi * 441 * time)[None] * 10 ** (-15.74 / 20)
    return 1e-4 * s, 1e-4 * (s + error)


def test_epsilons_on_a_quiet_stem() -> None:
    """The size of the pitfall: means of 2.5e-11 and 6.7e-13, sums of 1.1e-6 and 2.9e-8."""
    s, e = quiet_pair()
    noise = 1.1025e-6 * 10**-1.574
    assert sdr.sdr(s, e) == pytest.approx(15.74)
    assert sdr.sdr(s, e, "audiosep") == 0
    mdx = 10 * math.log10((1.1025e-6 + 1e-7) / (noise + 1e-7))
    assert sdr.sdr(s, e, "mdx") == pytest.approx(mdx)
    assert mdx == pytest.approx(9.68, abs=0.01)
    msst = 10 * math.log10((1.1025e-6 + 1e-8) / (noise + 1e-8))
    assert sdr.sdr(s, e, "msst") == pytest.approx(msst)
    assert msst == pytest.approx(14.50, abs=0.01)


def test_limits_of_ratios() -> None:
    assert sdr.ratio_db(0, 1) == -math.inf
    assert sdr.ratio_db(1, 0) == math.inf
    assert sdr.ratio_db(1000, 1) == pytest.approx(30)


def test_improvement(orthogonal: Pair) -> None:
    s, n = orthogonal
    assert sdr.improvement(s, s + 0.1 * n, s + n) == pytest.approx(20)
    assert sdr.improvement(0 * s, n, n, "mdx") == 0


def test_scenes(orthogonal: Pair) -> None:
    s, n = orthogonal
    scene = Scene(44100, ("s", "n"), np.stack([s, n]), np.stack([s + 0.1 * n, n + 0.01 * s]), s + n)
    scores = sdr.evaluate(scene)
    assert scores["sdr"] == pytest.approx([20, 40])
    assert scores["sdri"] == pytest.approx([20, 40])
    silent = replace(scene, references=np.stack([s, 0 * n]), mixture=s)
    gain = sdr.evaluate(silent)["sdri"]
    assert gain[0] == -math.inf  # the mixture is the source
    assert math.isnan(gain[1])
    assert np.isfinite(sdr.evaluate(silent, "mdx")["sdri"]).all()


def test_perfect_where_the_mixture_is_perfect_is_no_improvement(orthogonal: Pair) -> None:
    s, _ = orthogonal
    scores = sdr.evaluate(Scene(44100, ("s",), s[None], s[None], s))
    assert scores["sdr"] == [math.inf]
    assert np.isnan(scores["sdri"]).all()


def test_what_cannot_be_compared(make_scene: Any) -> None:
    with pytest.raises(ItemError, match="differ in shape"):
        sdr.sdr(np.ones(3), np.ones(4))
    with pytest.raises(ItemError, match="NaN"):
        sdr.evaluate(replace(make_scene(), mixture=np.full((2, 19200), np.nan)))
