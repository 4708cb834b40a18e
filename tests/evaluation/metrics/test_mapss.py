"""MAPSS against its authors' package (by a golden file), and against closed forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
from numpy.random import RandomState
from scipy import stats
from scipy.spatial.distance import mahalanobis as scipy_mahalanobis

from sepcli.errors import ItemError, ModelError
from sepcli.evaluation.metrics import mapss, mapss_backbones
from sepcli.evaluation.metrics.mapss_bank import (
    FRAME,
    NOISES,
    RATE,
    energy_edges,
    match_bank,
    separation_bank,
    spectral_peaks,
)
from sepcli.evaluation.scene import Array, Scene

GOLDEN = Path(__file__).parents[2] / "data/mapss/golden.npz"


@pytest.fixture(scope="module")
def golden() -> dict[str, Array]:
    return dict(np.load(GOLDEN))


@pytest.fixture(scope="module")
def ours(golden: dict[str, Array]) -> tuple[Array, Array]:
    return mapss.mapss(
        golden["references"][:, None], golden["estimates"][:, None], RATE, mapss_backbones.raw
    )


def scene_of(references: Array, estimates: Array, rate: int = RATE) -> Scene:
    names = tuple(f"stem {number}" for number in range(len(references)))
    return Scene(rate, names, references, estimates, references.sum(axis=0))


@pytest.fixture(scope="module")
def noises() -> tuple[Array, Array]:
    """Two references of half a second, and estimates that are nearly equal to them."""
    rng = np.random.default_rng(0)
    references = 0.1 * rng.standard_normal((2, 1, 8000))
    return references, references + 0.001 * rng.standard_normal(references.shape)


@pytest.fixture(scope="module")
def plain(noises: tuple[Array, Array]) -> Array:
    """PS and PM of `noises`, (2, stems, frames)."""
    return np.stack(mapss.mapss(*noises, RATE, mapss_backbones.raw))


# The package in float64 differs from ours by its ridge of PM, which stays in float32.
def test_frames_are_those_of_the_package(
    golden: dict[str, Array], ours: tuple[Array, Array]
) -> None:
    for name, frames, tolerance in zip(("ps", "pm"), ours, (1e-7, 1e-6), strict=True):
        assert 0 < np.isnan(golden[name]).sum() < golden[name].size / 2
        np.testing.assert_allclose(frames, golden[name], rtol=tolerance, atol=1e-9)


def test_summary_is_that_of_the_package(
    golden: dict[str, Array], ours: tuple[Array, Array]
) -> None:
    means = np.stack([np.nanmean(frames, axis=1) for frames in ours], axis=1)
    np.testing.assert_allclose(means, golden["summary"], rtol=1e-6)


def test_the_package_as_it_is_differs_by_float32(
    golden: dict[str, Array], ours: tuple[Array, Array]
) -> None:
    for name, frames in zip(("ps_single", "pm_single"), ours, strict=True):
        np.testing.assert_allclose(frames, golden[name], rtol=2e-3, atol=5e-4)


def test_better_estimates_score_higher(noises: tuple[Array, Array], plain: Array) -> None:
    references, _ = noises
    bad = references + 0.7 * references[::-1]
    ps, pm = mapss.mapss(references, bad, RATE, mapss_backbones.raw)
    assert np.nanmean(plain[0]) > 0.9 > 0.8 > np.nanmean(ps)
    assert np.nanmean(plain[1]) > np.nanmean(pm) + 0.2


def test_gain_does_not_matter(noises: tuple[Array, Array], plain: Array) -> None:
    references, estimates = noises
    quieter = mapss.mapss(references, 0.01 * estimates, RATE, mapss_backbones.raw)
    np.testing.assert_allclose(quieter, plain, rtol=1e-6)


def test_a_silent_reference_takes_no_part(noises: tuple[Array, Array], plain: Array) -> None:
    references, estimates = (np.insert(waves, 1, 0.0, axis=0) for waves in noises)
    estimates[1] = 1
    three = np.stack(mapss.mapss(references, estimates, RATE, mapss_backbones.raw))
    np.testing.assert_array_equal(three[:, [0, 2]], plain)
    assert np.isnan(three[:, 1]).all()


def test_a_silent_estimate_has_no_figures(noises: tuple[Array, Array], plain: Array) -> None:
    references, estimates = noises[0], noises[1] * [[[1]], [[0]]]
    figures = np.stack(mapss.mapss(references, estimates, RATE, mapss_backbones.raw))
    assert np.isnan(figures[:, 1]).all()
    assert np.isfinite(figures[:, 0]).all()
    # The other stem's PS depends on this estimate only through the kernel's median.
    np.testing.assert_allclose(figures[0, 0], plain[0, 0], atol=0.01)


def test_too_short(noises: tuple[Array, Array]) -> None:
    references, estimates = (waves[..., :6399] for waves in noises)
    ps, pm = mapss.mapss(references, estimates, RATE, mapss_backbones.raw)
    assert ps.shape == pm.shape == (2, 19)
    assert np.isnan([ps, pm]).all()


def test_what_does_not_fit_is_refused(noises: tuple[Array, Array]) -> None:
    references, estimates = noises
    with pytest.raises(ItemError):
        mapss.mapss(references, estimates[:1], RATE, mapss_backbones.raw)


def test_one_source(noises: tuple[Array, Array]) -> None:
    references, estimates = (waves[:1] for waves in noises)
    figures = np.stack(mapss.mapss(references, estimates, RATE, mapss_backbones.raw))
    assert figures.shape == (2, 1, 24)
    assert np.isnan(figures).all()


def test_sources_that_never_meet() -> None:
    wave = np.random.default_rng(0).standard_normal((2, 1, 8000))
    wave[0, :, :4000] = wave[1, :, 3840:] = 0
    assert np.isnan(mapss.mapss(wave, wave, RATE, mapss_backbones.raw)).all()


def test_negative_zeros_are_zeros() -> None:
    """Their phase would be another one, and the vocoder would hear it."""
    for channels in (1, 2):
        silence = np.full((1, channels, 10), -0.0)
        assert not np.signbit(mapss.to_mono(silence, RATE)).any()


def test_to_mono_takes_the_mean_at_16_khz() -> None:
    time = np.arange(48_000) / 48_000
    wave = np.stack([np.sin(2 * np.pi * 440 * time), np.zeros(48_000)])[None]
    mono = mapss.to_mono(wave, 48_000)
    assert mono.shape == (1, 16_000)
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / RATE)
    np.testing.assert_allclose(mono[0, 500:-500], expected[500:-500], atol=1e-4)


def test_loudness() -> None:
    wave = np.random.default_rng(0).standard_normal(16_000)
    normal = mapss.normalise(3 * wave)
    assert pyloudnorm.Meter(RATE).integrated_loudness(normal) == pytest.approx(-23, abs=1e-9)


def test_loudness_of_peaks_is_limited() -> None:
    wave = 0.01 * np.random.default_rng(0).standard_normal(16_000)
    wave[5000] = 40
    assert abs(mapss.normalise(wave)).max() == pytest.approx(1)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_loudness_below_the_gate() -> None:
    wave = 1e-6 * np.random.default_rng(0).standard_normal(16_000)
    assert np.sqrt(np.square(mapss.normalise(wave)).mean()) == pytest.approx(10 ** (-23 / 20))


def test_activity() -> None:
    wave = np.zeros((1, 3 * FRAME + 1))
    level = np.array([1, 0.05, 0.2])
    wave[0, : 3 * FRAME] = np.repeat(level, FRAME)  # RMS of all: about 0.59
    assert mapss.activity(wave).tolist() == [[True, False, True]]
    assert mapss.activity(wave[:, :-1]).tolist() == [[True, False]]  # the last one ends the signal


def test_diffusion_coordinates() -> None:
    """Two groups fall apart along the first coordinate; the eigenproblem holds."""
    rng = np.random.default_rng(0)
    points = rng.standard_normal((1, 20, 5))
    points[:, 10:] += 6
    coordinates = mapss.diffuse(points)
    signs = np.sign(coordinates[0, :, 0])
    assert abs(signs[:10].sum()) == abs(signs[10:].sum()) == 10
    assert signs[0] != signs[10]
    distance = np.square(points[0][:, None] - points[0]).sum(-1)
    kernel = np.exp(-distance / (2 * np.sort(distance[np.triu_indices(20, 1)])[94]))
    kernel /= np.outer(kernel.sum(1), kernel.sum(1))
    walk = kernel / np.sqrt(np.outer(kernel.sum(1), kernel.sum(1)))
    values = np.linalg.eigvalsh(walk)[-2::-1].clip(min=0)
    kept = int((np.cumsum(values) / values.sum() < 0.99).sum()) + 1
    assert coordinates.shape == (1, 20, kept)
    np.testing.assert_allclose(np.linalg.norm(coordinates[0], axis=0), values[:kept], rtol=1e-9)
    np.testing.assert_allclose(walk @ coordinates[0], values[:kept] * coordinates[0], atol=1e-12)


def test_frames_are_mapped_one_by_one() -> None:
    points = np.random.default_rng(0).standard_normal((3, 12, 4))
    points[1] *= np.geomspace(1, 100, 4)  # needs fewer coordinates
    together = mapss.diffuse(points)
    for frame in range(3):
        alone = mapss.diffuse(points[frame : frame + 1])[0]
        kept = together[frame][:, : alone.shape[1]]
        np.testing.assert_allclose(kept, alone, atol=1e-12)
        assert not together[frame][:, alone.shape[1] :].any()


def test_mahalanobis() -> None:
    rng = np.random.default_rng(0)
    deviations, points = rng.standard_normal((1, 30, 4)), rng.standard_normal((1, 3, 4))
    covariance = deviations[0].T @ deviations[0] / 29 + 1e-6 * np.eye(4)
    inverse = np.linalg.inv(covariance)
    expected = [scipy_mahalanobis(point, np.zeros(4), inverse) ** 2 + 1e-6 for point in points[0]]
    np.testing.assert_allclose(mapss.mahalanobis(deviations, points)[0], expected)


def test_separation_of_known_clouds() -> None:
    """One dimension, variance 1: the estimate is 1 from its own centre and 3 from the other."""
    cloud = np.array([-1.0, 0, 1])
    first = np.concatenate([[1.0], cloud])[None, :, None]
    second = np.concatenate([[4.0], cloud + 4])[None, :, None]
    ps = mapss.separation([first, second])
    np.testing.assert_allclose(ps[:, 0], [3 / 4, 1], atol=1e-3)


def test_separation_is_from_the_nearest_other() -> None:
    cloud = np.array([-1.0, 0, 1])
    at = [np.concatenate([[where + 1], cloud + where])[None, :, None] for where in (0.0, 10, 4)]
    np.testing.assert_allclose(mapss.separation(at)[0], 3 / 4, atol=1e-4)


def test_match_of_a_known_cloud() -> None:
    rng = np.random.default_rng(0)
    reference, distortions = np.array([5.0]), 5 + rng.standard_normal(50)
    squared = np.square(distortions - 5) / (np.square(distortions - 5).sum() / 49 + 1e-6) + 1e-6
    for estimate in (5.0, 6.0, 9.0):
        cloud = np.concatenate([[estimate], reference, distortions])[None, :, None]
        value = (estimate - 5) ** 2 / (np.square(distortions - 5).sum() / 49 + 1e-6) + 1e-6
        shape = squared.mean() ** 2 / squared.var(ddof=1)
        expected = stats.gamma.sf(value, shape, scale=squared.var(ddof=1) / squared.mean())
        assert mapss.match([cloud])[0, 0] == pytest.approx(expected, rel=1e-6)


def test_gamma_tail_of_a_constant() -> None:
    assert mapss.gamma_tail(np.array([1.0]), np.ones((1, 5))) == 0


def test_banks_have_their_sizes(golden: dict[str, Array]) -> None:
    wave = mapss.normalise(golden["references"][0].astype(float))
    weaker = list(separation_bank(wave, RandomState(0)))
    stronger = list(match_bank(wave, RandomState(0)))
    assert len(NOISES) == 24
    assert len(weaker) == 71
    assert {len(distorted) for distorted in weaker} == {len(wave)}
    assert {len(distorted) for distorted in stronger} == {-(-len(wave) // FRAME) * FRAME}


def test_spectral_peaks() -> None:
    time = np.arange(RATE) / RATE
    hertz = {50: 9, 440: 1, 600: 0.5, 1000: 2, 7500: 5}
    wave = sum(gain * np.sin(2 * np.pi * f * time) for f, gain in hertz.items())
    # 50 and 7500 Hz are out of bounds, 600 is too near to 440.
    assert spectral_peaks(np.asarray(wave))[:2] == [1000, 440]


def test_energy_edges() -> None:
    time = np.arange(RATE) / RATE
    wave = sum(np.sin(2 * np.pi * f * time) for f in (1010, 2020, 3030, 4040))
    assert energy_edges(wave, (0.2, 0.45, 0.7, 0.95)) == [1000, 2000, 3000, 4000]
    assert energy_edges(wave, (0.95, 0.8, 0.3), downwards=True) == [2000, 4000]
    assert energy_edges(np.ones(RATE), (0.5,)) == []  # no filter has its edge at 0


def test_columns(
    monkeypatch: pytest.MonkeyPatch, noises: tuple[Array, Array], plain: Array
) -> None:
    monkeypatch.setenv(mapss_backbones.VARIABLE, "raw")
    stereo = (np.repeat(waves, 2, axis=1) for waves in noises)
    scores = mapss.evaluate(scene_of(*stereo))
    assert list(scores) == ["mapss_ps", "mapss_pm"]
    np.testing.assert_allclose(np.stack(list(scores.values())), plain, rtol=1e-9)


def test_without_a_model(monkeypatch: pytest.MonkeyPatch, noises: tuple[Array, Array]) -> None:
    monkeypatch.delenv(mapss_backbones.VARIABLE, raising=False)
    with pytest.raises(ModelError) as refusal:
        mapss.evaluate(scene_of(*noises))
    assert mapss_backbones.VARIABLE in refusal.value.remedy
