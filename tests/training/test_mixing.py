"""Mixtures: deterministic, unlike, at the right level, and sums of their sources."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from sepcli.errors import UsageError
from sepcli.training import corpus
from sepcli.training.config import load_config
from sepcli.training.corpus import RATE, Clip, Sound, load, package_split, read_class_folders
from sepcli.training.mixing import LEVEL, Pantry, active_rms, fill, lowpass, mix, repeated
from sepcli.training.ontology import TEMPLATES, Ontology
from sepcli.training.recipe import clips_of

DATA = Path(__file__).parents[1] / "data"


def sound(label: str, wave: np.ndarray) -> Sound:
    return Sound(
        Clip(Path("x"), label, "x", "train", "CC0", "nobody", True), wave.astype(np.float16)
    )


@pytest.fixture
def pantry() -> Pantry:
    rng = np.random.default_rng(0)
    labels = ["dog", "rain", "speech", "singing", "ambience_mixed", "piano"]
    sounds = [sound(x, 0.3 * rng.standard_normal(RATE * (i + 1))) for i, x in enumerate(labels)]
    return Pantry(sounds, Ontology.load())


def test_a_mixture_is_decided_by_its_seed(pantry: Pantry) -> None:
    one, two, other = (mix(pantry, RATE, random.Random(seed)) for seed in ("7", "7", "8"))
    np.testing.assert_array_equal(one.sources, two.sources)
    assert one.labels == two.labels
    assert not np.array_equal(one.wave[:1000], other.wave[:1000])


def test_sources_sum_to_the_mixture(pantry: Pantry) -> None:
    for seed in range(20):
        mixture = mix(pantry, RATE, random.Random(seed))
        np.testing.assert_allclose(mixture.sources.sum(0), mixture.wave, atol=1e-6)
        assert len(mixture.labels) == len(mixture.sources)


def test_like_sounds_never_meet(pantry: Pantry) -> None:
    counts = set()
    for seed in range(200):
        labels = mix(pantry, 800, random.Random(seed)).labels
        groups = [pantry.ontology.groups[x] for x in labels]
        assert len(set(groups)) == len(groups)
        assert groups[0] != "anything"
        counts.add(len(labels))
    assert counts == {1, 2, 3}


def test_windows_are_at_level(pantry: Pantry) -> None:
    for seed in range(5):
        wave = pantry.window("dog", 2 * RATE, random.Random(seed))
        assert active_rms(wave) == pytest.approx(LEVEL, rel=1e-4)


def test_active_rms_ignores_silence() -> None:
    wave = np.zeros(1000, np.float32)
    wave[:10] = [0.5, -0.5] * 5
    assert active_rms(wave) == pytest.approx(0.5)
    assert active_rms(np.zeros(10)) == 0


def test_short_sounds_are_repeated() -> None:
    click = np.ones(10, np.float32)
    out = repeated(click, 5 * RATE, random.Random(0))
    starts = np.flatnonzero(np.diff(out, prepend=0) > 0)
    assert len(starts) > 3
    assert out.sum() == pytest.approx(10 * len(starts), abs=10)


def test_windows_hold_something_of_a_sparse_sound() -> None:
    wave = np.zeros(60 * RATE, np.float32)
    wave[40 * RATE : 40 * RATE + 3200] = 0.5
    for seed in range(20):
        assert np.abs(fill(sound("dog", wave), RATE, random.Random(seed))).max() > 0.3


def test_the_lowpass_keeps_what_is_below() -> None:
    time = np.arange(RATE) / RATE
    low, high = (np.sin(2 * np.pi * f * time).astype(np.float32) for f in (1000, 9000))
    np.testing.assert_allclose(lowpass(low + high, 4000.0), low, atol=1e-3)


def test_the_ontology_is_sound() -> None:
    ontology = Ontology.load()
    assert all(ontology.phrases.values())
    assert ontology.alike("speech", "singing")
    assert ontology.alike("ambience_mixed", "dog")
    assert not ontology.alike("dog", "rain")
    assert ontology.say("rain", random.Random(0)) in {
        t.format(p) for t in TEMPLATES for p in ontology.phrases["rain"]
    }


def test_the_paraphrases_of_the_benchmark_are_not_trained_on() -> None:
    import yaml

    path = Path(__file__).parents[2] / "sepcli/evaluation/manifests/esc10_queries.yaml"
    asked = yaml.safe_load(path.read_text())
    known = {t.format(p) for t in TEMPLATES for p in Ontology.load().texts()}
    assert not {text for row in asked.values() for text in row[1:]} & known


def test_splits_are_fixed_by_the_package() -> None:
    splits = {
        name: package_split(name) for name in ("0ad-data", "widelands-data", "hedgewars-data")
    }
    assert splits == {"0ad-data": "train", "widelands-data": "test", "hedgewars-data": "validation"}


def config_text(root: Path, **change: object) -> str:
    import yaml

    values = {
        "kind": "separator",
        "corpora": [{"kind": "esc10", "root": str(root)}],
        "clap": "clap",
        "steps": 2,
        "batch": 2,
        "seconds": 0.5,
        "lr": 1e-3,
        **change,
    }
    return yaml.safe_dump({key: value for key, value in values.items() if value is not None})


def test_no_test_clip_is_trained_on() -> None:
    Path("c.yaml").write_text(config_text(DATA / "esc10"))
    clips = clips_of(load_config(Path("c.yaml")))
    assert clips
    assert not [clip for clip in clips if clip.path.name.startswith("4-")]
    listed = [c for c in corpus.read_esc10(DATA / "esc10") if c.split == "test"]
    assert len(listed) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lerning": 1}, "lerning"),
        ({"steps": 0}, "steps"),
        ({"kind": "other"}, "kind"),
        ({"corpora": []}, "corpora"),
        ({"corpora": [{"kind": "esc10", "root": "${NOT_SET}/x"}]}, "NOT_SET"),
    ],
)
def test_bad_configs(change: dict[str, object], message: str) -> None:
    Path("c.yaml").write_text(config_text(DATA / "esc10", **change))
    with pytest.raises(UsageError, match=message):
        load_config(Path("c.yaml"))


def test_paths_may_name_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUNDS", str(DATA))
    Path("c.yaml").write_text(config_text(Path("${SOUNDS}/esc10")))
    assert load_config(Path("c.yaml")).corpora[0].root == DATA / "esc10"


def test_corpora_with_nothing_to_mix(tmp_path: Path) -> None:
    (tmp_path / "sounds/dog").mkdir(parents=True)
    for index in range(20):
        (tmp_path / f"sounds/dog/{index}.wav").touch()
    text = config_text(tmp_path, corpora=[{"kind": "class-folders", "root": "sounds"}])
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(UsageError, match="nothing to mix"):
        clips_of(load_config(tmp_path / "c.yaml"))
    one = config_text(tmp_path, corpora=[{"kind": "esc10", "root": "few"}])
    (tmp_path / "c.yaml").write_text(one)
    (tmp_path / "few").mkdir()
    manifest = (DATA / "esc10/manifest.csv").read_text().splitlines()[:2]
    (tmp_path / "few/manifest.csv").write_text("\n".join(manifest))
    with pytest.raises(UsageError, match="validate on"):
        clips_of(load_config(tmp_path / "c.yaml"))
    (tmp_path / "c.yaml").write_text(text)
    (tmp_path / "sounds/unheard-of").mkdir()
    (tmp_path / "sounds/unheard-of/1.wav").touch()
    with pytest.raises(UsageError, match="unheard-of"):
        clips_of(load_config(tmp_path / "c.yaml"))


def test_missing_corpora() -> None:
    with pytest.raises(UsageError, match="no corpus manifest"):
        list(corpus.read_esc10(Path("nowhere")))
    with pytest.raises(UsageError, match="no such corpus folder"):
        list(read_class_folders(Path("nowhere")))


def test_broken_clips_are_named(tmp_path: Path) -> None:
    import soundfile

    bad, silent = tmp_path / "bad.wav", tmp_path / "silent.wav"
    bad.write_text("no audio")
    soundfile.write(silent, np.zeros(100), 8000)
    for path, message in ((bad, "cannot read"), (silent, "silent training clip")):
        with pytest.raises(UsageError, match=message):
            load(Clip(path, "dog", "x", "train", "CC0", "nobody", True))
