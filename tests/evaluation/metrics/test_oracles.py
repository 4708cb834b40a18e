"""Reference systems: sums, sources that do not overlap, and a bin computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sepcli.errors import ItemError
from sepcli.evaluation.metrics import oracles
from sepcli.evaluation.metrics.sdr import sdr
from sepcli.evaluation.scene import Array

RATE = 44100


@pytest.fixture(scope="module")
def noises() -> Array:
    """Three stereo sources of different levels, (3, 2, 10 000)."""
    levels = np.array([0.1, 0.05, 0.02])[:, None, None]
    return levels * np.random.default_rng(0).standard_normal((3, 2, 10_000))


def tones(*hz: float) -> Array:
    """A stem per frequency, the second channel at half the level."""
    time = np.arange(RATE // 2) / RATE
    waves = np.sin(2 * np.pi * np.array(hz)[:, None] * time) * np.hanning(RATE // 2)
    return waves[:, None] * np.array([[1.0], [0.5]])


def test_all_have_the_form_of_estimates(noises: Array) -> None:
    systems = dict(oracles.reference_systems(noises, noises.sum(axis=0), RATE))
    assert list(systems) == ["mixture", "mixture-over-n", "silence", "oracle-irm", "oracle-ibm"]
    for estimates in systems.values():
        assert estimates.shape == noises.shape
        assert estimates.dtype == np.float64


def test_the_simple_ones(noises: Array) -> None:
    mixture = noises.sum(axis=0)
    systems = dict(oracles.reference_systems(noises, mixture, RATE))
    for stem in range(3):
        assert np.array_equal(systems["mixture"][stem], mixture)
    assert systems["mixture-over-n"].sum(axis=0) == pytest.approx(mixture)
    assert not systems["silence"].any()


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_ratio_masks_add_up_to_the_mixture(noises: Array, power: float) -> None:
    mixture = noises.sum(axis=0)
    estimates = oracles.ratio_masked(noises, mixture, RATE, power)
    assert estimates.sum(axis=0) == pytest.approx(mixture, abs=1e-12)


def test_sources_that_do_not_overlap_are_perfect() -> None:
    sources = tones(500, 5000)
    mixture = sources.sum(axis=0)
    for estimates in (
        oracles.ratio_masked(sources, mixture, RATE),
        oracles.binary_masked(sources, mixture, RATE),
    ):
        assert sdr(sources[0], estimates[0]) > 80
        assert sdr(sources[1], estimates[1]) > 80


def test_masks_by_hand() -> None:
    """One tone shared 3 : 1 has shares 9/10 and 1/10, by magnitude 3/4 and 1/4; all or nothing."""
    sources = tones(1000, 1000) * np.array([3.0, 1.0])[:, None, None]
    mixture = sources.sum(axis=0)

    def shares(estimates: Array) -> list[float]:
        return [float((e * mixture).sum() / (mixture * mixture).sum()) for e in estimates]

    assert shares(oracles.ratio_masked(sources, mixture, RATE)) == pytest.approx([0.9, 0.1])
    by_magnitude = oracles.ratio_masked(sources, mixture, RATE, power=1.0)
    assert shares(by_magnitude) == pytest.approx([0.75, 0.25])
    assert shares(oracles.binary_masked(sources, mixture, RATE)) == pytest.approx([1, 0])


def test_half_of_the_mixture_is_enough_for_a_binary_mask() -> None:
    sources = tones(1000, 1000, 1000) * np.array([0.51, 0.49, 0.0])[:, None, None]
    estimates = oracles.binary_masked(sources, sources.sum(axis=0), RATE)
    assert sdr(sources.sum(axis=0), estimates[0]) > 100
    assert not estimates[1:].any()
    both = tones(1000, 1000)  # each is exactly half
    for estimate in oracles.binary_masked(both, both.sum(axis=0), RATE):
        assert sdr(both.sum(axis=0), estimate) > 100


def test_masks_beat_what_needs_no_separation(noises: Array) -> None:
    systems = dict(oracles.reference_systems(noises, noises.sum(axis=0), RATE))
    for simple in ("mixture", "mixture-over-n", "silence"):
        for stem in range(3):
            irm = sdr(noises[stem], systems["oracle-irm"][stem])
            assert irm > sdr(noises[stem], systems[simple][stem])


def test_silence_gets_nothing(noises: Array) -> None:
    sources = np.stack([noises[0], 0 * noises[0]])
    for mask in (oracles.ratio_masked, oracles.binary_masked):
        estimates = mask(sources, noises[0], RATE)
        assert estimates[0] == pytest.approx(noises[0], abs=1e-12)
        assert not estimates[1].any()
    silent = oracles.ratio_masked(0 * sources, noises[0], RATE)
    assert not silent.any()


def test_items_shorter_than_a_window(noises: Array) -> None:
    short = noises[..., :700]
    systems = dict(oracles.reference_systems(short, short.sum(axis=0), RATE))
    assert systems["oracle-irm"].sum(axis=0) == pytest.approx(short.sum(axis=0), abs=1e-12)


@pytest.mark.parametrize(
    ("rate", "length"), [(8000, 512), (16000, 1024), (32000, 2048), (44100, 2048), (96000, 4096)]
)
def test_windows_keep_their_duration(rate: int, length: int) -> None:
    assert oracles.window_length(rate) == length


def test_what_does_not_fit(noises: Array) -> None:
    with pytest.raises(ItemError, match="differ in shape"):
        dict(oracles.reference_systems(noises, noises.sum(axis=0)[:, 1:], RATE))
    with pytest.raises(ItemError, match="NaN"):
        dict(oracles.reference_systems(noises * np.nan, noises[0], RATE))
