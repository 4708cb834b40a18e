"""BSS Eval v3 against closed forms, the MATLAB toolbox's figures, and mir_eval."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mir_eval.separation
import numpy as np
import pytest
import soundfile
from scipy.signal import fftconvolve

from sepcli.errors import ItemError
from sepcli.evaluation.metrics import bss_eval_v3
from sepcli.evaluation.metrics.bss_eval_v3 import (
    ImageScores,
    SourceScores,
    bss_eval_images,
    bss_eval_sources,
    framewise,
)
from sepcli.evaluation.metrics.projection import TAPS
from sepcli.evaluation.scene import Array, Scene

MakeScene = Callable[..., Scene]
GOLDEN = Path(__file__).parents[2] / "data/mir_eval"
SETS = ("01", "02", "03", "05")
NAMES = {
    "sdr": "Source to Distortion",
    "isr": "Image to Spatial",
    "sir": "Source to Interference",
    "sar": "Source to Artifact",
    "permutation": "Source permutation",
}

pytestmark = [
    pytest.mark.filterwarnings("ignore:(?s).*Deprecated as of mir_eval:FutureWarning"),
    pytest.mark.filterwarnings("ignore::sepcli.evaluation.metrics.projection.IllConditioned"),
]


def golden(number: str, part: str) -> tuple[Array, Array, dict]:
    """References and estimates, (sources, samples), and what MATLAB says of them."""
    audio = [
        np.array([soundfile.read(path)[0] for path in sorted((GOLDEN / folder).iterdir())])
        for folder in (f"ref{number}", f"est{number}")
    ]
    return *audio, json.loads((GOLDEN / f"output{number}.json").read_text())[part]


def images(mono: Array, channels: int, gain: float) -> Array:
    return np.stack([mono] + [gain * mono] * (channels - 1), axis=1)


def assert_agrees(ours: SourceScores, expected: dict, tolerance: float) -> None:
    for field, name in NAMES.items():
        if name in expected:
            np.testing.assert_allclose(getattr(ours, field), expected[name], atol=tolerance, rtol=0)


@pytest.mark.parametrize("number", SETS)
def test_golden_sources(number: str) -> None:
    references, estimates, expected = golden(number, "Sources")
    assert_agrees(bss_eval_sources(references, estimates), expected, 1e-8)


@pytest.mark.parametrize("number", ["01", "05"])
def test_golden_sources_framewise(number: str) -> None:
    references, estimates, expected = golden(number, "Framewise")
    ours = framewise(bss_eval_sources, references, estimates, expected["win"], expected["hop"])
    assert_agrees(ours, expected, 1e-6)


@pytest.mark.parametrize("number", ["01", "02", "03"])
def test_golden_images(number: str) -> None:
    """The references' channels are equal, so the toolbox's own figures are rounded."""
    references, estimates, expected = golden(number, "Images")
    channels = expected["nchan"]
    s, e = images(references, channels, 1), images(estimates, channels, expected["gain"])
    assert_agrees(bss_eval_images(s, e), expected, 1e-3)


def test_golden_images_framewise() -> None:
    references, estimates, expected = golden("01", "Images Framewise")
    channels = expected["nchan"]
    s, e = images(references, channels, 1), images(estimates, channels, expected["gain"])
    ours = framewise(bss_eval_images, s, e, expected["win"], expected["hop"])
    assert_agrees(ours, expected, 1e-4)


@pytest.fixture
def mixed() -> tuple[Array, Array]:
    """Three stereo sources, and estimates in another order; (sources, channels, samples)."""
    rng = np.random.default_rng(4)
    references = rng.standard_normal((3, 2, 3000))
    estimates = 0.9 * references + 0.2 * np.roll(references, 1, axis=0)
    return references, (estimates + 0.1 * rng.standard_normal(estimates.shape))[[2, 0, 1]]


@pytest.mark.parametrize("permute", [True, False])
def test_sources_as_mir_eval(mixed: tuple[Array, Array], permute: bool) -> None:
    s, e = (signals[:, 0] for signals in mixed)
    ours = bss_eval_sources(s, e, permute)
    theirs = mir_eval.separation.bss_eval_sources(s, e, permute)
    for mine, other in zip((ours.sdr, ours.sir, ours.sar, ours.permutation), theirs, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-9)
    assert ours.permutation.tolist() == ([1, 2, 0] if permute else [0, 1, 2])


def test_images_as_mir_eval(mixed: tuple[Array, Array]) -> None:
    s, e = mixed[0][[0, 2]], mixed[1][[0, 1]]
    ours = bss_eval_images(s, e)
    theirs = mir_eval.separation.bss_eval_images(s.swapaxes(1, 2), e.swapaxes(1, 2))
    fields = ours.sdr, ours.isr, ours.sir, ours.sar, ours.permutation
    for mine, other in zip(fields, theirs, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-9)
    assert ours.permutation.tolist() == [1, 0]


def test_frames_have_permutations_of_their_own(mixed: tuple[Array, Array]) -> None:
    s, e = (signals[:, 0].copy() for signals in mixed)
    e[:, 1500:] = e[[1, 2, 0], 1500:]
    ours = framewise(bss_eval_sources, s, e, 1500, 1500, permute=True)
    assert ours.permutation.tolist() == [[1, 0], [2, 1], [0, 2]]
    second = bss_eval_sources(s[:, 1500:], e[:, 1500:])
    np.testing.assert_array_equal(ours.sar[:, 1], second.sar)


@pytest.mark.parametrize(("window", "hop"), [(4000, 1000), (2000, 2000)])
def test_fewer_than_two_frames_are_the_whole(
    mixed: tuple[Array, Array], window: int, hop: int
) -> None:
    s, e = (signals[:2, 0] for signals in mixed)
    ours = framewise(bss_eval_sources, s, e, window, hop)
    whole = bss_eval_sources(s, e, permute=False)
    assert ours.sar.shape == (2, 1)
    np.testing.assert_array_equal(ours.sar[:, 0], whole.sar)


def test_a_filter_within_the_taps_is_forgiven() -> None:
    rng = np.random.default_rng(5)
    s = np.pad(rng.standard_normal((2, 4000)), ((0, 0), (0, TAPS)))
    filters = rng.standard_normal((2, TAPS))
    inside = np.array([fftconvolve(x, h)[: s.shape[1]] for x, h in zip(s, filters, strict=True)])
    ours = bss_eval_sources(s, inside)
    assert ours.sdr.tolist() == ours.sir.tolist() == ours.sar.tolist() == [math.inf] * 2
    raw = bss_eval_sources(s, inside, compat="museval")
    assert min(raw.sdr) > 100


@pytest.mark.parametrize(("delay", "forgiven"), [(TAPS - 1, True), (TAPS, False)])
def test_a_delay_of_more_than_511_samples_is_not(delay: int, forgiven: bool) -> None:
    s = np.random.default_rng(6).standard_normal((1, 6000))
    s[:, -TAPS:] = 0
    ours = bss_eval_sources(s, np.roll(s, delay, axis=1))
    assert np.isposinf(ours.sdr[0]) == forgiven
    assert forgiven or ours.sdr[0] < 0


def test_noise_orthogonal_to_all_delays() -> None:
    """White noise leaves 1 - taps / samples of its energy outside the span of one source."""
    rng = np.random.default_rng(7)
    s, n = rng.standard_normal((2, 1, 100_000))
    ours = bss_eval_sources(s, s + 0.1 * n)
    assert ours.sdr[0] == pytest.approx(20, abs=0.1)
    assert ours.sar[0] == ours.sdr[0]
    assert ours.sir[0] == math.inf


def test_leakage_is_interference_and_noise_is_artifacts() -> None:
    rng = np.random.default_rng(8)
    s = rng.standard_normal((2, 60_000))
    leaking = bss_eval_sources(s, s + 0.1 * s[::-1])
    np.testing.assert_allclose(leaking.sir, 20, atol=0.15)
    assert leaking.sar.tolist() == [math.inf] * 2
    noisy = bss_eval_sources(s, s + 0.1 * rng.standard_normal(s.shape))
    np.testing.assert_allclose(noisy.sar, 20, atol=0.15)
    assert min(noisy.sir) > 35


def test_images_tell_a_gain_as_spatial_error() -> None:
    s = np.random.default_rng(9).standard_normal((2, 2, 4000))
    ours = bss_eval_images(s, 0.9 * s)
    np.testing.assert_allclose(ours.sdr, 20, atol=1e-12)
    np.testing.assert_allclose(ours.isr, 20, atol=1e-9)
    assert ours.sir.tolist() == ours.sar.tolist() == [math.inf] * 2


def test_perfect_images_are_infinite() -> None:
    s = np.random.default_rng(10).standard_normal((2, 2, 2000))
    ours = bss_eval_images(s, s[::-1])
    assert ours.permutation.tolist() == [1, 0]
    for figure in (ours.sdr, ours.isr, ours.sir, ours.sar):
        assert figure.tolist() == [math.inf] * 2


@pytest.mark.parametrize("which", ["reference", "estimate"])
@pytest.mark.parametrize("score", [bss_eval_sources, bss_eval_images])
def test_silence_is_unknown_and_leaves_the_others(
    mixed: tuple[Array, Array], which: str, score: Callable[..., SourceScores]
) -> None:
    s, e = mixed[0][:2].copy(), mixed[1][[1, 2]].copy()
    (s if which == "reference" else e)[0] = 0
    if score is bss_eval_sources:
        s, e = s[:, 0], e[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own, joint = score(s, e), score(s, e, compat="museval")
    for field in set(vars(own)) - {"permutation"}:
        assert np.isnan(getattr(own, field)).tolist() == [True, False]
        assert np.isnan(getattr(joint, field)).all()
    assert own.permutation.tolist() == [0, 1]


def test_a_silent_reference_does_not_change_the_others(mixed: tuple[Array, Array]) -> None:
    s, e = mixed[0].copy(), mixed[1][[1, 2, 0]]
    s[2] = 0
    three = bss_eval_images(s, e, permute=False)
    two = bss_eval_images(s[:2], e[:2], permute=False)
    np.testing.assert_allclose(three.sir[:2], two.sir, atol=1e-9)
    np.testing.assert_allclose(three.sar[:2], two.sar, atol=1e-9)


def test_dual_mono_scores_as_mono() -> None:
    """Equal channels span what one of them does."""
    rng = np.random.default_rng(11)
    s = rng.standard_normal((2, 3000))
    e = s + 0.2 * s[::-1] + 0.1 * rng.standard_normal(s.shape)
    twice = np.repeat(s[:, None], 2, axis=1), np.repeat(e[:, None], 2, axis=1)
    with pytest.warns(UserWarning, match="nearly dependent"):
        stereo = bss_eval_images(*twice)
    mono = bss_eval_images(s[:, None], e[:, None])
    for field in ("sdr", "isr", "sir", "sar"):
        np.testing.assert_allclose(getattr(stereo, field), getattr(mono, field), atol=1e-6)


def test_evaluate(make_scene: MakeScene) -> None:
    mono, stereo = make_scene(channels=1, seconds=0.2), make_scene(seconds=0.2)
    scores = bss_eval_v3.evaluate(mono)
    expected = bss_eval_sources(mono.references[:, 0], mono.estimates[:, 0])
    assert list(scores) == ["sdr_v3", "sir_v3", "sar_v3"]
    for column, values in zip(
        scores.values(), (expected.sdr, expected.sir, expected.sar), strict=True
    ):
        np.testing.assert_array_equal(column, values)
    scores = bss_eval_v3.evaluate_images(stereo)
    whole = bss_eval_images(stereo.references, stereo.estimates)
    assert isinstance(whole, ImageScores)
    assert list(scores) == ["sdr_images_v3", "isr_v3", "sir_images_v3", "sar_images_v3"]
    fields = whole.sdr, whole.isr, whole.sir, whole.sar
    for column, values in zip(scores.values(), fields, strict=True):
        np.testing.assert_array_equal(column, values)


def test_evaluate_does_not_permute(make_scene: MakeScene) -> None:
    scene = make_scene(channels=1, seconds=0.2)
    swapped = replace(scene, estimates=scene.estimates[::-1])
    assert max(bss_eval_v3.evaluate(swapped)["sir_v3"]) < 0


def test_sources_are_mono(make_scene: MakeScene) -> None:
    with pytest.raises(ItemError, match="2 channels") as caught:
        bss_eval_v3.evaluate(make_scene())
    assert "bss_images_v3" in caught.value.remedy


def test_what_cannot_be_scored(make_scene: MakeScene) -> None:
    scene = make_scene(channels=1)
    unknown = scene.estimates.copy()
    unknown[0, 0, 7] = np.nan
    for evaluate in (bss_eval_v3.evaluate, bss_eval_v3.evaluate_images):
        with pytest.raises(ItemError, match="NaN or infinite"):
            evaluate(replace(scene, estimates=unknown))
