"""Rendered mixtures: exact sums, whatever the file; nothing is rendered twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.errors import OutputError, UsageError
from sepcli.evaluation.datasets import folder, hive
from sepcli.training.corpora.clip import Clip
from sepcli.training.mixing import render as module
from sepcli.training.mixing.example import total
from sepcli.training.mixing.manifest import Mixer, Recipe, write_mixtures
from sepcli.training.mixing.pantry import Pantry
from sepcli.training.mixing.render import Flac, Wav, render

Make = Callable[..., Clip]
ROOT, OUT = Path("mixtures"), Path("files")
MANIFEST = ROOT / "train/data.jsonl"


@pytest.fixture
def drawn(clip: Make, stock: Callable[..., Pantry]) -> list[dict[str, object]]:
    """Three rows, of three sources each."""
    pantry = stock(*(clip(label) for label in ("dog", "rain", "siren")))
    recipe = Recipe(count=3, sources=(3, 3), seconds=0.3, rate=8000)
    rows = list(Mixer(pantry, recipe, ROOT, lambda *_: None).rows())
    write_mixtures(MANIFEST, rows)
    return rows


def states(form: str = "wav") -> list[str]:
    return [row.state for row in render(ROOT, "train", OUT, form)]


def samples(place: Path) -> dict[str, np.ndarray]:
    return {
        path.stem: soundfile.read(path, dtype="float32")[0]
        for path in place.iterdir()
        if path.suffix != ".json"
    }


@pytest.mark.parametrize(("form", "error"), [("wav", 1e-7), ("flac", 0.5 / 2**23)])
@pytest.mark.usefixtures("drawn")
def test_files_are_the_readers_mixtures_and_sum_exactly(form: str, error: float) -> None:
    assert states(form) == ["written"] * 3
    for item in hive.items(ROOT, "train"):
        example = item.read()
        found = samples(OUT / item.name)
        assert set(found) == {"mixture", "s1", "s2", "s3"}
        np.testing.assert_array_equal(found["s1"] + found["s2"] + found["s3"], found["mixture"])
        for name, wave in example.references.items():
            np.testing.assert_allclose(found[name], wave[0], atol=error)
        np.testing.assert_allclose(found["mixture"], example.mixture[0], atol=4 * error)
    subtypes = {soundfile.info(path).subtype for path in OUT.glob(f"*/*.{form}")}
    assert subtypes == {"FLOAT" if form == "wav" else "PCM_24"}


def test_folders_are_a_data_set_with_their_rows(drawn: list[dict[str, object]]) -> None:
    states()
    items = folder.items(OUT, "all")
    assert [item.name for item in items] == [row["mix_id"] for row in drawn]
    example = items[1].read()
    np.testing.assert_array_equal(sum(example.references.values()), example.mixture)
    assert json.loads((OUT / "mix_00000001/mixture.json").read_text()) == drawn[1]


@pytest.mark.usefixtures("drawn")
def test_what_is_there_is_left_alone() -> None:
    steps = render(ROOT, "train", OUT, "wav")
    assert next(steps).state == "written"
    steps.close()
    (OUT / "mix_00000000/s1.wav").write_bytes(b"mine")
    half = OUT / f"{module.partial_path(Path('mix_00000001'))}"
    half.mkdir()
    (half / "s9.wav").write_bytes(b"of a rendering that was stopped")
    assert states() == ["there", "written", "written"]
    assert (OUT / "mix_00000000/s1.wav").read_bytes() == b"mine"
    assert sorted(path.name for path in OUT.iterdir()) == [f"mix_{n:08}" for n in range(3)]
    assert set(samples(OUT / "mix_00000001")) == {"mixture", "s1", "s2", "s3"}


def test_another_mixture_of_the_name_is_refused(drawn: list[dict[str, object]]) -> None:
    states()
    drawn[2]["global_normalization_factor"] = 0.1
    write_mixtures(MANIFEST, drawn)
    steps = render(ROOT, "train", OUT, "wav")
    assert [next(steps).state, next(steps).state] == ["there", "there"]
    with pytest.raises(UsageError, match="mix_00000002 is not the mixture"):
        next(steps)


def test_broken_rows_and_clips_fail_alone(drawn: list[dict[str, object]]) -> None:
    del drawn[0]["sample_rate"]
    write_mixtures(MANIFEST, drawn)
    broken, *rest = render(ROOT, "train", OUT, "wav")
    assert broken.state == "failed"
    assert "row in the manifest" in str(broken.error)
    assert [row.state for row in rest] == ["written", "written"]
    assert not (OUT / "mix_00000000").exists()
    hive.items(ROOT, "train")[1].files[0].unlink()
    again = list(render(ROOT, "train", Path("more"), "wav"))
    assert [row.state for row in again] == ["failed"] * 3
    assert list(Path("more").glob("*")) == []


def test_too_loud_for_flac(drawn: list[dict[str, object]]) -> None:
    for row in drawn:
        row["global_normalization_factor"] = 10 * float(str(row["global_normalization_factor"]))
    write_mixtures(MANIFEST, drawn)
    assert [str(row.error) for row in render(ROOT, "train", OUT, "flac")] == [
        "a source is louder than a FLAC file can be"
    ] * 3
    assert states("wav") == ["written"] * 3


def test_loud_sources_in_wav_sum_exactly_too() -> None:
    waves = np.random.default_rng(0).uniform(-7, 7, (5, 1000))
    kept = Wav().fitted(waves)
    np.testing.assert_array_equal(total(kept), kept.astype(np.float64).sum(axis=0))
    np.testing.assert_allclose(kept, waves, atol=2**-19)
    np.testing.assert_array_equal(Wav().fitted(np.zeros((2, 3))), 0)


def test_flac_has_all_its_steps() -> None:
    wave = np.array([1 - 2**-23, -1 + 2**-23, 2**-23, 0.4 * 2**-23, 0])
    (kept,) = Flac().fitted(wave[None])
    np.testing.assert_array_equal(kept, [1 - 2**-23, -1 + 2**-23, 2**-23, 0, 0])
    Flac().write(Path("steps"), kept, 8000)
    np.testing.assert_array_equal(soundfile.read("steps.flac", dtype="float32")[0], kept)


@pytest.mark.parametrize("name", ["mix_00000001", "../out", "a/b", ""])
def test_names_that_cannot_be(drawn: list[dict[str, object]], name: str) -> None:
    drawn[0]["mix_id"] = name
    write_mixtures(MANIFEST, drawn)
    with pytest.raises(UsageError, match="cannot name a mixture, or names two"):
        states()


def test_no_manifest() -> None:
    with pytest.raises(UsageError, match=r"no train/data\.jsonl"):
        states()


@pytest.mark.usefixtures("drawn")
def test_a_full_disk_leaves_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(soundfile, "write", full)
    with pytest.raises(OutputError, match="No space left"):
        states()
    assert not (OUT / "mix_00000000").exists()
