"""What every metric refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sepcli.errors import ItemError
from sepcli.evaluation.metrics.validation import validate, validate_pair


def test_a_good_scene_passes(make_scene: Any) -> None:
    validate(make_scene())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda s: {"stems": ("voice",)},
            r"references of shape \(2, 2, 19200\) do not fit 1 stems",
        ),
        (lambda s: {"mixture": s.mixture[0]}, r"mixture of shape \(19200,\)"),
        (lambda s: {"mixture": s.mixture[:, 1:]}, r"mixture of shape \(2, 19199\)"),
        (lambda s: {"estimates": s.estimates[..., 1:]}, "differ in shape"),
        (lambda s: {"estimates": s.estimates * np.nan}, "estimate is NaN"),
        (lambda s: {"references": s.references / 0}, "reference is NaN or infinite"),
        (lambda s: {"mixture": s.mixture * np.inf}, "mixture is NaN or infinite"),
        (
            lambda s: {
                "references": s.references[..., :0],
                "estimates": s.estimates[..., :0],
                "mixture": s.mixture[..., :0],
            },
            "nothing to compare",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.filterwarnings("ignore:invalid value")
def test_scenes_that_are_refused(make_scene: Any, change: Any, message: str) -> None:
    scene = make_scene()
    with pytest.raises(ItemError, match=message) as refusal:
        validate(replace(scene, **change(scene)))
    assert "sepcli eval check" in refusal.value.remedy


def test_pairs_become_float64_without_a_copy_if_they_are() -> None:
    single, double = np.ones((1, 3), np.float32), np.ones((1, 3))
    s, e = validate_pair(single, double)
    assert s.dtype == np.float64
    assert e is double
