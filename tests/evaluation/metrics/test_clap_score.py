"""CLAPScore with an encoder whose embeddings are known, and with the shipped one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from heard_levels import RATE, Levels, wave

import sepcli
from sepcli.errors import ItemError
from sepcli.evaluation.metrics import clap_score
from sepcli.evaluation.scene import Scene
from sepcli.hashing import sha256_of

MakeScene = Callable[..., Scene]


@pytest.fixture
def scene() -> Scene:
    """Angles: words at 90 degrees, estimate at 45, mixture at 0, reference at 90."""
    references = np.stack([wave(0, 1), wave(1, 0)])
    estimates = np.stack([wave(0.1, 0.1), wave(1, 0)])
    return Scene(RATE, ("a", "b"), references, estimates, wave(0.3, 0), {"a": "0 2"})


def test_closed_form(scene: Scene) -> None:
    scores = clap_score.evaluate(scene, encoder=Levels())
    half = np.sqrt(0.5)
    np.testing.assert_allclose(scores["clap_score"], [half, np.nan], atol=1e-6)
    np.testing.assert_allclose(scores["clap_score_i"], [half, np.nan], atol=1e-6)
    np.testing.assert_allclose(scores["clap_score_a"], [half, 1], atol=1e-6)


def test_the_mixture_is_taken_off(scene: Scene) -> None:
    scores = clap_score.evaluate(replace(scene, mixture=wave(0.1, 0.1)), encoder=Levels())
    assert scores["clap_score_i"][0] == pytest.approx(0, abs=1e-6)
    scores = clap_score.evaluate(replace(scene, mixture=wave(0, 1)), encoder=Levels())
    assert scores["clap_score_i"][0] == pytest.approx(np.sqrt(0.5) - 1, abs=1e-6)


def test_silence_has_no_score(scene: Scene) -> None:
    estimates = scene.estimates.copy()
    estimates[0] = 0
    scores = clap_score.evaluate(replace(scene, estimates=estimates), encoder=Levels())
    assert np.isnan([scores[name][0] for name in scores]).all()
    silent = replace(scene, references=0 * scene.references)
    scores = clap_score.evaluate(silent, encoder=Levels())
    assert np.isnan(scores["clap_score_a"]).all()
    assert np.isfinite(scores["clap_score"][0])


@pytest.mark.parametrize(("seconds", "windows"), [(0.01, 1), (10, 1), (10.5, 2), (25, 3)])
def test_windows_are_equal_and_at_most_10_s(seconds: float, windows: int) -> None:
    encoder = Levels()
    rows = clap_score.embed_windows(encoder, wave(1, 1, round(seconds * RATE)), RATE)
    assert rows.shape == (windows, 2)
    lengths = [shape[0] for shape, _ in encoder.heard]
    assert sum(lengths) == round(seconds * RATE)
    assert max(lengths) <= 10 * RATE
    assert max(lengths) - min(lengths) <= 1


def test_the_mean_of_windows_counts() -> None:
    both = np.concatenate([wave(1, 0, 9 * RATE), wave(0, 0.1, 9 * RATE)], axis=1)
    np.testing.assert_allclose(clap_score.embed(Levels(), both, RATE), np.sqrt([0.5, 0.5]))
    silent_half = np.concatenate([wave(1, 0, 9 * RATE), wave(0, 0, 9 * RATE)], axis=1)
    np.testing.assert_allclose(clap_score.embed(Levels(), silent_half, RATE), [1, 0])


def test_every_rate_is_brought_to_32_khz() -> None:
    encoder = Levels()
    clap_score.embed(encoder, wave(1, 1, 22_050), 22_050)
    assert encoder.heard == [((RATE, 2), RATE)]


def test_what_does_not_fit_is_refused(scene: Scene) -> None:
    with pytest.raises(ItemError):
        clap_score.evaluate(replace(scene, estimates=scene.estimates[:1]), encoder=Levels())


def test_the_shipped_encoder_knows_a_dog() -> None:
    """Meaning: words fit their own sound better than another one, and a sound fits itself."""
    import soundfile

    from sepcli.training.corpora.readers.esc import read_esc10

    folder = Path(__file__).parents[2] / "data/esc10"
    clips = {clip.label: clip for clip in read_esc10(folder)}
    sounds = []
    for label in ("dog", "rain"):
        samples, rate = soundfile.read(clips[label].path, always_2d=True)
        sounds.append(samples.T)
    references = np.stack([sound[:, : min(s.shape[1] for s in sounds)] for sound in sounds])
    scene = Scene(
        rate,
        ("dog", "rain"),
        references,
        references,
        references.sum(axis=0),
        {"dog": "dog barking", "rain": "rain"},
    )
    right = clap_score.evaluate(scene)
    swapped = clap_score.evaluate(replace(scene, estimates=references[::-1].copy()))
    np.testing.assert_allclose(right["clap_score_a"], 1)
    assert (right["clap_score"] > swapped["clap_score"] + 0.1).all()
    assert (swapped["clap_score_a"] < 0.9).all()
    np.testing.assert_allclose(
        right["clap_score"] - right["clap_score_i"],
        swapped["clap_score"] - swapped["clap_score_i"],
    )


def test_checkpoint_is_the_file_that_ships() -> None:
    shipped = Path(sepcli.__file__).parent / "shipped/clap.safetensors"
    assert clap_score.checkpoint_id() == sha256_of(shipped)


def test_another_default_model_changes_nothing(
    linear: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = clap_score.shipped_model().name
    registry = tmp_path / "registry.yaml"
    entry = (linear() / "model.yaml").read_text().replace("\n", "\n    ")
    registry.write_text(f"version: 1\ndefault: mine\nmodels:\n  mine:\n    {entry}\n")
    monkeypatch.setenv("SEPCLI_REGISTRY", str(registry))
    assert clap_score.shipped_model().name == expected


def test_importing_it_does_not_import_torch() -> None:
    code = "import sys, sepcli.evaluation.metrics.clap_score; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
