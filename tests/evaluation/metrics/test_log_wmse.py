"""log-WMSE against values of the package that defines it, and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sepcli.errors import ItemError
from sepcli.evaluation.metrics.log_wmse import (
    RATE,
    evaluate,
    high_shelf,
    log_wmse,
    peak,
    weighted,
    weighting_filter,
)
from sepcli.evaluation.scene import Array, Scene

BEST = -4 * math.log(1e-8)


def parts(rate: int, samples: int) -> tuple[Array, Array, Array]:
    """A low tone, a high tone and a square wave, in stereo."""
    time = np.arange(samples) / rate
    low = 0.3 * np.sin(2 * np.pi * 440 * time) * np.array([[1], [0.5]])
    high = 0.2 * np.sin(2 * np.pi * 3000 * time + 1) * np.array([[0.4], [1]])
    square = 0.1 * np.sign(np.sin(2 * np.pi * 97 * time)) * np.array([[1.0], [1.0]])
    return low, high, square


@pytest.mark.parametrize(
    ("rate", "bleeding", "unprocessed", "silent_target", "mono"),
    [  # calculated with log-wmse-audio-quality 0.2.0, numpy 2.4.6, scipy 1.17.1, soxr "HQ"
        (44100, 23.921318, 4.3301406, 35.050034, 27.895012),
        (16000, 23.92488, 4.3213024, 35.009567, 27.898022),
        (48000, 23.920612, 4.3314567, 35.05104, 27.894617),
    ],
)
def test_values_of_the_package(
    rate: int, bleeding: float, unprocessed: float, silent_target: float, mono: float
) -> None:
    low, high, square = parts(rate, rate // 2)
    mixture, estimate = low + high + square, low + 0.1 * high
    near = {"abs": 1e-5}
    assert log_wmse(low, estimate, mixture, rate) == pytest.approx(bleeding, **near)
    assert log_wmse(low, mixture, mixture, rate) == pytest.approx(unprocessed, **near)
    assert log_wmse(0 * low, 0.05 * square, mixture, rate) == pytest.approx(silent_target, **near)
    assert log_wmse(low[:1], estimate[:1], mixture[:1], rate) == pytest.approx(mono, **near)


def test_a_signal_shorter_than_the_filter_as_in_the_package() -> None:
    low, high, _ = parts(RATE, 1000)
    value = log_wmse(low, low + 0.1 * high, low + high, RATE)
    assert value == pytest.approx(23.613777, abs=1e-5)


def test_the_filter_is_the_packages() -> None:
    """Taps of its filter_ir.pkl around the centre, and its gain in dB."""
    taps = weighting_filter()
    assert taps.shape == (4000,)
    assert taps.argmax() == 1999
    assert taps[1999] == pytest.approx(0.7688241610547457, abs=1e-7)
    assert taps[1990:1999] == pytest.approx(taps[2008:1999:-1])
    response = np.abs(np.fft.rfft(taps, 65536))
    for hz, gain_db in ((100, -4.7547), (500, 2.5342), (1000, 1.4926), (3000, 4.2360)):
        at = round(hz * 65536 / RATE)
        assert 20 * math.log10(response[at]) == pytest.approx(gain_db, abs=0.001)


def test_biquads_have_the_gain_they_are_asked_for() -> None:
    def gain_db(biquad: tuple[list[float], list[float]], hz: float) -> float:
        z = np.exp(-2j * np.pi * hz / RATE) ** np.arange(3)
        return 20 * math.log10(abs(np.dot(biquad[0], z) / np.dot(biquad[1], z)))

    shelf, bell = high_shelf(1500, 5, math.sqrt(0.5)), peak(500, 2.5, 1.5)
    assert [gain_db(shelf, hz) for hz in (0, 1500, RATE / 2)] == pytest.approx([0, 2.5, 5])
    assert [gain_db(bell, hz) for hz in (0, 500, RATE / 2)] == pytest.approx([0, 2.5, 0])


def test_weighting_does_not_delay() -> None:
    impulse = np.zeros(9001)
    impulse[4500] = 1.0
    heard = weighted(impulse)
    assert heard.argmax() == 4500
    assert heard[4500 - 50 : 4500] == pytest.approx(heard[4550:4500:-1])


def test_silence_and_perfection() -> None:
    low, high, _ = parts(RATE, 4410)
    silence = np.zeros_like(low)
    assert log_wmse(low, low, low + high, RATE) == pytest.approx(BEST)
    assert pytest.approx(73.68, abs=0.01) == BEST
    assert log_wmse(silence, silence, low, RATE) == pytest.approx(BEST)
    assert log_wmse(low, high, silence, RATE) == pytest.approx(BEST)
    assert math.isfinite(log_wmse(silence, low, low, RATE))


def test_handing_in_the_mixture_for_silence_scores_about_nothing() -> None:
    """Error and mixture have one level: -4 ln 1 = 0 in every channel."""
    low, high, _ = parts(RATE, 4410)
    assert log_wmse(0 * low, low + high, low + high, RATE) == pytest.approx(0, abs=1e-6)
    assert log_wmse(0 * low, 0.1 * (low + high), low + high, RATE) == pytest.approx(
        -4 * math.log(0.01), abs=0.01
    )


def test_errors_that_nobody_hears_count_as_none() -> None:
    rng = np.random.default_rng(0)
    mixture = rng.standard_normal((1, 20_000))
    quiet, loud = (mixture * (1 + 10 ** (db / 20)) for db in (-85, -50))
    assert log_wmse(mixture, quiet, mixture, RATE) == pytest.approx(BEST)
    expected = -4 * math.log(10**-5)
    assert log_wmse(mixture, loud, mixture, RATE) == pytest.approx(expected, abs=0.05)


def test_the_tolerance_is_at_minus_68_db() -> None:
    """A tone's peak is 3.01 dB above its RMS, here that of its middle."""
    time = np.arange(RATE) / RATE
    mixture = (np.sin(2 * np.pi * 1000 * time) * np.hanning(RATE))[None]
    peak_db = 20 * math.log10(1 / math.sqrt(np.square(mixture).mean()))
    below, above = (mixture * (1 + 10 ** ((-68 + db - peak_db) / 20)) for db in (-0.1, 0.1))
    assert log_wmse(mixture, below, mixture, RATE) == pytest.approx(BEST, abs=1e-9)
    assert log_wmse(mixture, above, mixture, RATE) < BEST - 1e-3


def test_level_does_not_matter() -> None:
    low, high, square = parts(RATE, 4410)
    signals = np.stack([low, low + 0.1 * high, low + high + square])
    quiet = log_wmse(*(1e-3 * signals), RATE)
    assert quiet == pytest.approx(log_wmse(*signals, RATE), abs=1e-6)


def test_scenes() -> None:
    low, high, _ = parts(RATE, 4410)
    scene = Scene(RATE, ("a", "b"), np.stack([low, high]), np.stack([low, low]), low + high)
    scores = evaluate(scene)["log_wmse"]
    assert scores == pytest.approx([BEST, log_wmse(high, low, low + high, RATE)])


def test_what_cannot_be_compared() -> None:
    with pytest.raises(ItemError, match=r"mixture .* differ in shape"):
        log_wmse(np.ones((1, 9)), np.ones((1, 9)), np.ones((2, 9)), RATE)
