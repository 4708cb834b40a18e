"""BSS Eval v4 against closed forms, museval, and filters that are really run."""

from __future__ import annotations

import math
import shutil
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import lfilter

from sepcli.errors import ItemError
from sepcli.evaluation.metrics import bss_eval_v3, bss_eval_v4, csdr
from sepcli.evaluation.metrics.bss_eval_v4 import FrameScores, bss_eval
from sepcli.evaluation.metrics.projection import IllConditioned
from sepcli.evaluation.scene import Array, Scene

MakeScene = Callable[..., Scene]
FIELDS = ("sdr", "isr", "sir", "sar")
SECOND = slice(2000, 4000)

needs_museval = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="museval cannot be imported without ffmpeg"
)


def coloured(seed: int, *shape: int) -> Array:
    return lfilter([1], [1, -0.9], np.random.default_rng(seed).standard_normal(shape))


def stems(sources: int = 2, channels: int = 2, samples: int = 8100) -> tuple[Array, Array]:
    """References, and estimates with leakage and noise; (sources, channels, samples)."""
    references = coloured(0, sources, channels, samples)
    estimates = 0.9 * references + 0.1 * np.roll(references, 1, axis=0)
    return references, estimates + 0.05 * coloured(1, sources, channels, samples)


def by_museval(references: Array, estimates: Array, window: int, hop: int) -> FrameScores:
    from museval.metrics import bss_eval as original

    swapped = references.swapaxes(1, 2), estimates.swapaxes(1, 2)
    return FrameScores(*original(*swapped, window=window, hop=hop)[:4])


def assert_agree(ours: FrameScores, theirs: FrameScores, tolerance: float) -> None:
    for field in FIELDS:
        np.testing.assert_allclose(
            getattr(ours, field), getattr(theirs, field), atol=tolerance, rtol=0, err_msg=field
        )


@needs_museval
@pytest.mark.parametrize(
    ("sources", "channels", "samples", "window", "hop"),
    [
        (2, 2, 8100, 2000, 2000),  # and 100 samples that are left over
        (3, 1, 8000, 2000, 2000),
        (2, 1, 8100, 2000, 1500),  # overlap
        (2, 1, 8100, 1000, 2000),  # gaps
        (1, 2, 3000, 300, 300),  # frames shorter than the filters
        (2, 1, 900, 2000, 2000),  # shorter than a frame
    ],
)
def test_as_museval(sources: int, channels: int, samples: int, window: int, hop: int) -> None:
    s, e = stems(sources, channels, samples)
    assert_agree(bss_eval(s, e, window, hop), by_museval(s, e, window, hop), 1e-9)


@needs_museval
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("silence", ["of a frame", "of opposite channels", "of a channel"])
def test_as_museval_with_silence(which: int, silence: str) -> None:
    signals = stems()
    frame = signals[which][0, :, SECOND]
    if silence == "of a frame":
        frame[:] = 0
    elif silence == "of opposite channels":
        frame[1] = -frame[0]
    else:
        frame[1] = 0
    ours, theirs = bss_eval(*signals, 2000, 2000, "museval"), by_museval(*signals, 2000, 2000)
    assert_agree(ours, theirs, 1e-9)
    assert np.isnan(ours.sir[:, 1]).all() == (silence != "of a channel")


@needs_museval
def test_as_museval_when_nearly_perfect() -> None:
    s, e = stems()
    e = s + 1e-4 * (e - s)
    ours = bss_eval(s, e, 2000, 2000, "museval")
    assert ours.sdr.min() > 90
    assert_agree(ours, by_museval(s, e, 2000, 2000), 1e-3)


@needs_museval
@pytest.mark.filterwarnings("ignore::sepcli.evaluation.metrics.projection.IllConditioned")
@pytest.mark.parametrize("dual", [slice(0, 1), slice(None)])
def test_as_museval_with_dual_mono(dual: slice) -> None:
    s, e = stems()
    s[dual, 1] = s[dual, 0]
    assert_agree(bss_eval(s, e, 2000, 2000), by_museval(s, e, 2000, 2000), 0.013)


def test_one_frame_is_v3() -> None:
    s, e = stems(samples=3000)
    ours, whole = bss_eval(s, e, 3000, 3000), bss_eval_v3.bss_eval_images(s, e)
    for field in FIELDS:
        np.testing.assert_allclose(getattr(ours, field)[:, 0], getattr(whole, field), atol=1e-9)


def test_filters_that_are_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every energy from the frame, filtered and followed by the filters' tail."""
    monkeypatch.setattr(bss_eval_v4, "TAPS", 16)
    s, e = stems(sources=2, channels=1, samples=410)
    spans = [slice(0, 200), slice(200, 400)]
    energies = bss_eval_v4.projected_energies(s, e, spans)
    basis = np.array([np.pad(x[0], (a, 15 - a)) for x in s for a in range(16)])
    for j, at in np.ndindex(2, 2):
        target = np.pad(e[j, 0], (0, 15))
        both = np.linalg.lstsq(basis.T, target, rcond=None)[0].reshape(2, 16)
        alone = np.linalg.lstsq(basis[16 * j : 16 * (j + 1)].T, target, rcond=None)[0]
        cut = s[:, 0, spans[at]]
        own = np.convolve(cut[j], alone)
        total = sum(np.convolve(x, h) for x, h in zip(cut, both, strict=True))
        clean, estimate = (np.pad(x[spans[at]], (0, 15)) for x in (s[j, 0], e[j, 0]))
        parts = own @ own, np.square(total - own).sum(), np.square(own - clean).sum()
        expected = [*parts, total @ total, estimate @ total]
        np.testing.assert_allclose(energies[:, j, at], expected, rtol=1e-9)


def test_sdr_is_csdr() -> None:
    s, e = stems()
    for compat in ("sepcli", "museval"):
        ours = bss_eval(s, e, 2000, 2000, compat).sdr
        np.testing.assert_array_equal(ours, csdr.frame_sdr(s, e, 2000, 2000, compat))


def test_a_gain_is_a_spatial_error() -> None:
    s, _ = stems()
    ours = bss_eval(s, 0.9 * s, 2000, 2000)
    np.testing.assert_allclose(ours.sdr, 20, atol=1e-12)
    np.testing.assert_allclose(ours.isr, 20, atol=1e-9)
    assert (ours.sir == math.inf).all()
    assert (ours.sar == math.inf).all()


def test_leakage_of_a_frame_is_measured_in_it() -> None:
    """Filters are those of the item: -20 dB of leakage in every frame, and none elsewhere."""
    rng = np.random.default_rng(3)
    s = rng.standard_normal((2, 1, 40_000))
    ours = bss_eval(s, s + 0.1 * s[::-1], 10_000, 10_000)
    np.testing.assert_allclose(ours.sir, 20, atol=0.6)
    assert (ours.sar == math.inf).all()


def test_perfect_is_infinite() -> None:
    s, _ = stems()
    ours = bss_eval(s, s.copy(), 2000, 2000)
    for field in FIELDS:
        assert (getattr(ours, field) == math.inf).all()


def test_an_equal_mix_has_no_artifacts() -> None:
    s, _ = stems(sources=3)
    mix = np.broadcast_to(s.mean(axis=0), s.shape)
    ours = bss_eval(s, mix, 2000, 2000)
    assert (ours.sar == math.inf).all()
    assert np.isfinite(ours.sir).all()


def test_silence_of_one_stem_is_its_own() -> None:
    s, e = stems()
    before = bss_eval(s, e, 2000, 2000)
    e[0, :, SECOND] = 0
    ours = bss_eval(s, e, 2000, 2000)
    for field in FIELDS:
        assert np.isnan(getattr(ours, field)).tolist() == [[False, True, False, False], [False] * 4]
        np.testing.assert_allclose(getattr(ours, field)[1], getattr(before, field)[1], atol=1e-9)


@pytest.mark.parametrize("which", [0, 1])
def test_a_silent_item_is_no_exception(which: int) -> None:
    signals = stems()
    signals[which][0] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own, joint = (bss_eval(*signals, 2000, 2000, compat) for compat in ("sepcli", "museval"))
    for field in FIELDS:
        assert np.isnan(getattr(own, field)).tolist() == [[True] * 4, [False] * 4]
        assert np.isnan(getattr(joint, field)).all()


def test_all_silent() -> None:
    ours = bss_eval(*np.zeros((2, 2, 2, 5000)), 2000, 2000)
    assert np.isnan(ours.sar).all()


def test_empty_bands_are_warned_of() -> None:
    s, e = stems()
    spectra = np.fft.rfft(s)
    spectra[..., 3000:] = 0
    with pytest.warns(IllConditioned):
        bss_eval(np.fft.irfft(spectra), e[..., :8100], 2000, 2000)


def test_evaluate(make_scene: MakeScene) -> None:
    scene = make_scene(rate=1000, seconds=3.4)
    scores = bss_eval_v4.evaluate(scene)
    expected = bss_eval(scene.references, scene.estimates, 1000, 1000)
    assert list(scores) == ["sdr_v4", "isr_v4", "sir_v4", "sar_v4"]
    for column, field in zip(scores.values(), FIELDS, strict=True):
        assert column.shape == (2, 3)
        np.testing.assert_array_equal(column, getattr(expected, field))


def test_evaluate_knows_compat(make_scene: MakeScene) -> None:
    scene = make_scene(rate=1000, seconds=3.4)
    scene.estimates[0, :, :1000] = 0
    assert np.isnan(bss_eval_v4.evaluate(scene)["sar_v4"]).sum() == 1
    assert np.isnan(bss_eval_v4.evaluate(scene, "museval")["sar_v4"]).sum() == 2


def test_what_cannot_be_scored(make_scene: MakeScene) -> None:
    scene = make_scene()
    with pytest.raises(ItemError, match="differ in shape"):
        bss_eval_v4.evaluate(replace(scene, estimates=scene.estimates[..., 1:]))
    with pytest.raises(ValueError, match="at least one sample"):
        bss_eval(scene.references, scene.estimates, 1000, 0)
