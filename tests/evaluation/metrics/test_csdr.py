"""Frames, their energies and their SDR, against closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sepcli.errors import ItemError
from sepcli.evaluation.metrics import csdr, sdr
from sepcli.evaluation.metrics.framing import frames, ratios_db, resolved, undefined
from sepcli.evaluation.scene import Array, Scene

MakeScene = Callable[..., Scene]
SECOND = slice(4, 8)


@pytest.fixture
def stems() -> tuple[Array, Array]:
    """Two stereo references and estimates of 13 samples, three frames of four and one left."""
    return tuple(np.random.default_rng(0).standard_normal((2, 2, 2, 13)))


@pytest.mark.parametrize(
    ("samples", "window", "hop", "starts"),
    [
        (13, 4, 4, [0, 4, 8]),
        (12, 4, 4, [0, 4, 8]),
        (11, 4, 4, [0, 4]),
        (13, 4, 3, [0, 3, 6, 9]),
        (13, 4, 6, [0, 6]),
        (5, 4, 4, [0]),
    ],
)
def test_frames(samples: int, window: int, hop: int, starts: list[int]) -> None:
    assert frames(samples, window, hop) == [slice(a, a + window) for a in starts]


@pytest.mark.parametrize("samples", [3, 4])
def test_an_item_shorter_than_a_frame_is_one(samples: int) -> None:
    assert frames(samples, 4, 2) == [slice(0, samples)]


@pytest.mark.parametrize(("window", "hop"), [(0, 1), (4, 0), (-4, 4)])
def test_frames_that_lead_nowhere(window: int, hop: int) -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        frames(13, window, hop)


def test_every_frame_is_an_sdr_of_its_own(stems: tuple[Array, Array]) -> None:
    references, estimates = stems
    ours = csdr.frame_sdr(references, estimates, 4, 4)
    assert ours.shape == (2, 3)
    for stem, row in enumerate(ours):
        for at, value in enumerate(row):
            cut = slice(4 * at, 4 * at + 4)
            expected = sdr.sdr(references[stem][:, cut], estimates[stem][:, cut])
            assert value == pytest.approx(expected, abs=1e-12)


def test_a_perfect_frame_is_infinite(stems: tuple[Array, Array]) -> None:
    references, estimates = stems
    estimates[0, :, SECOND] = references[0, :, SECOND]
    for compat in ("sepcli", "museval"):
        ours = csdr.frame_sdr(references, estimates, 4, 4, compat)
        assert ours[0, 1] == math.inf
        assert np.isfinite(ours).sum() == 5


@pytest.mark.parametrize("which", [0, 1])
def test_silence_takes_its_own_frame_or_everybodys(stems: tuple[Array, Array], which: int) -> None:
    stems[which][0, :, SECOND] = 0
    own = np.isnan(csdr.frame_sdr(*stems, 4, 4))
    joint = np.isnan(csdr.frame_sdr(*stems, 4, 4, "museval"))
    assert own.tolist() == [[False, True, False], [False, False, False]]
    assert joint.tolist() == [[False, True, False], [False, True, False]]


def test_opposite_channels_are_not_silence_to_us(stems: tuple[Array, Array]) -> None:
    references, estimates = stems
    references[0, 1, SECOND] = -references[0, 0, SECOND]
    spans = frames(13, 4, 4)
    assert not undefined(references, estimates, spans, "sepcli").any()
    assert undefined(references, estimates, spans, "museval").tolist() == [[False, True, False]] * 2


def test_ratios() -> None:
    signal, noise = np.array([1, 1, 0, 0, -1e-20, 100]), np.array([0.1, 0, 1, 0, 1, -1e-20])
    expected = [10, math.inf, -math.inf, math.nan, -math.inf, math.inf]
    np.testing.assert_allclose(ratios_db(signal, noise), expected)


def test_what_is_beyond_resolution() -> None:
    values = np.array([99.9, 100.1, -99.9, -100.1, math.nan, math.inf])
    expected = [99.9, math.inf, -99.9, -math.inf, math.nan, math.inf]
    np.testing.assert_array_equal(resolved(values, "sepcli"), expected)
    np.testing.assert_array_equal(resolved(values, "museval"), values)


def test_evaluate_takes_seconds(make_scene: MakeScene) -> None:
    scene = make_scene(rate=100, seconds=3.5)
    values = csdr.evaluate(scene)["csdr"]
    np.testing.assert_array_equal(
        values, csdr.frame_sdr(scene.references, scene.estimates, 100, 100)
    )
    assert values.shape == (2, 3)
    with pytest.raises(ItemError, match="differ in shape"):
        csdr.evaluate(replace(scene, estimates=scene.estimates[..., 1:]))
