"""The original packages behind our own signature."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from sepcli.errors import ItemError, UsageError
from sepcli.evaluation.metrics import bss_eval_v3, bss_eval_v4, originals
from sepcli.evaluation.scene import Scene, Scores

MakeScene = Callable[..., Scene]
needs_museval = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="museval cannot be imported without ffmpeg"
)
PAIRS = [
    pytest.param(originals.evaluate_mir_eval, bss_eval_v3.evaluate, 1, id="mir_eval"),
    pytest.param(
        originals.evaluate_mir_eval_images, bss_eval_v3.evaluate_images, 2, id="mir_eval images"
    ),
    pytest.param(
        originals.evaluate_museval, bss_eval_v4.evaluate, 2, id="museval", marks=needs_museval
    ),
]


def assert_same(one: Scores, other: Scores) -> None:
    assert list(one) == list(other)
    for column in one:
        np.testing.assert_allclose(one[column], other[column], atol=1e-9, err_msg=column)


@pytest.mark.parametrize(("original", "ours", "channels"), PAIRS)
def test_same_columns_and_figures(
    original: Callable[..., Scores],
    ours: Callable[..., Scores],
    channels: int,
    make_scene: MakeScene,
    recwarn: pytest.WarningsRecorder,
) -> None:
    scene = make_scene(rate=1000, seconds=2.5, channels=channels)
    assert_same(original(scene, "museval"), ours(scene, "museval"))
    assert not [w for w in recwarn if issubclass(w.category, FutureWarning)]


@pytest.mark.parametrize(("original", "ours", "channels"), PAIRS)
def test_refused_items_are_unknown(
    original: Callable[..., Scores],
    ours: Callable[..., Scores],
    channels: int,
    make_scene: MakeScene,
) -> None:
    scene = make_scene(rate=1000, seconds=2.5, channels=channels)
    scene.estimates[0] = 0
    scores = original(scene)
    assert list(scores) == list(ours(scene))
    for values in scores.values():
        assert values.shape == (2,)
        assert np.isnan(values).all()


def test_sources_are_mono(make_scene: MakeScene) -> None:
    with pytest.raises(ItemError, match="2 channels"):
        originals.evaluate_mir_eval(make_scene())


def test_what_numpy_took_away(make_scene: MakeScene, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise AttributeError("module 'numpy.linalg' has no attribute 'linalg'")

    monkeypatch.setattr("mir_eval.separation.bss_eval_sources", fails)
    with pytest.raises(ItemError, match="exactly dependent") as caught:
        originals.evaluate_mir_eval(make_scene(channels=1))
    assert "--backend" in caught.value.remedy


@pytest.mark.parametrize(
    ("problem", "remedy"),
    [
        (ImportError("No module named 'museval'"), "pip install 'museval"),
        (RuntimeError("ffmpeg or ffprobe could not be found!"), "install ffmpeg"),
    ],
)
def test_no_museval(
    problem: Exception, remedy: str, make_scene: MakeScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def import_module(name: str) -> ModuleType:
        raise problem

    monkeypatch.setattr(originals, "import_module", import_module)
    with pytest.raises(UsageError, match="museval cannot be imported") as caught:
        originals.evaluate_museval(make_scene())
    assert remedy in caught.value.remedy


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    code = "import sys, sepcli.evaluation.metrics.originals as o; print('mir_eval' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
