"""Manifests of mixtures: drawn by seed, and read back by Hive's reader."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from sepcli.errors import ItemError, UsageError
from sepcli.evaluation.datasets import hive
from sepcli.training.config import CorpusConfig
from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.manifest import write_manifest
from sepcli.training.mixing.manifest import Mixer, Recipe, read_mixtures, usable
from sepcli.training.mixing.pantry import Pantry
from sepcli.training.mixing.written import Stock, corpus_of, draw_manifest

Make = Callable[..., Clip]
SOUNDS = ("dog", "rain", "siren", "piano")
RECIPE = Recipe(count=6, sources=(2, 3), seconds=0.4, rate=8000, snr_db=(-6.0, 6.0))


def ignore(clip: Clip, error: ItemError) -> None:
    raise AssertionError(error)


@pytest.fixture
def corpus(clip: Make, tmp_path: Path) -> Path:
    """A manifest of clips: of some the second half is loud, one is short, one is a test's."""
    clips = [clip(label) for label in SOUNDS for _ in range(2)]
    clips += [clip("train", seconds=0.2), clip("wind", split="test"), clip("dog", "rain")]
    for quiet in clips[:4]:
        wave, rate = soundfile.read(quiet.path)
        wave[: rate // 2] = 0
        soundfile.write(quiet.path, wave, rate)
    write_manifest(tmp_path / "clips/corpus.jsonl", clips)
    return tmp_path / "clips/corpus.jsonl"


def stock_of(corpus: Path) -> Stock:
    return Stock([CorpusConfig(kind="manifest", root=corpus)])


def drawn(corpus: Path, root: Path, recipe: Recipe = RECIPE, suffix: str = ".jsonl") -> Path:
    steps = list(draw_manifest(root, stock_of(corpus), recipe, suffix, ignore))
    assert steps == list(range(1, recipe.count + 1))
    return root / recipe.split / f"data{suffix}"


def test_hives_reader_hears_what_was_drawn(corpus: Path) -> None:
    root = Path("mixtures")
    rows = read_mixtures(drawn(corpus, root))
    evidence = hive.recognise(root)
    assert evidence is not None
    assert evidence.certainty == 1
    items = hive.items(root, "train")
    assert [item.name for item in items] == [f"mix_{n:08}" for n in range(6)]
    for row, item in zip(rows, items, strict=True):
        example = item.read()
        assert (example.rate, example.mixture.shape) == (8000, (1, 3200))
        assert list(item.queries.values()) == [s["label"] for s in row["sources"]]
        assert len({s["label"] for s in row["sources"]}) == row["num_sources"] in (2, 3)
        waves = np.stack([example.references[s["source_id"]][0] for s in row["sources"]])
        levels = 10 * np.log10(np.square(waves).mean(axis=1))
        snrs = [source["snr_db"] for source in row["sources"]]
        assert snrs[0] == 0
        np.testing.assert_allclose(levels - levels[0], snrs, atol=1e-6)
        factor = row["global_normalization_factor"]
        assert levels[0] == pytest.approx(-20 + 20 * np.log10(factor), abs=1e-6)
        peaks = [np.abs(example.mixture).max(), *np.abs(waves).max(axis=1)]
        assert max(peaks) == pytest.approx(0.95)
        assert row["final_max_amplitude"] == pytest.approx(peaks[0])
        for source in row["sources"]:
            weight = source["rms_gain"] * 10 ** (source["snr_db"] / 20)
            assert source["applied_weight"] == pytest.approx(weight)


def test_cuts_hold_what_is_loud(corpus: Path, clip: Make) -> None:
    path = drawn(corpus, Path("mixtures"), replace(RECIPE, count=20))
    starts = [s["chunk_start_second"] for row in read_mixtures(path) for s in row["sources"]]
    assert max(starts) <= 0.6
    assert len(set(starts)) > 10
    for item in hive.items(Path("mixtures"), "train"):
        for wave in item.read().references.values():
            assert np.abs(wave).max() > 0.01


def test_a_cut_never_ends_within_its_moment(clip: Make, stock: Callable[..., Pantry]) -> None:
    burst = clip("dog", seconds=2.0)
    wave = np.zeros(16_000)
    wave[8000:8160] = 0.5  # the frame of 20 ms that begins at 1 s
    soundfile.write(burst.path, wave, 8000)
    alone = replace(RECIPE, count=300, sources=(1, 1))
    rows = list(Mixer(stock(burst), alone, Path("m"), ignore).rows())
    cuts = [row["sources"][0] for row in rows]
    assert max(cut["chunk_start_second"] for cut in cuts) == pytest.approx(1.0, abs=0.01)
    assert min(cut["chunk_end_second"] for cut in cuts) == pytest.approx(1.02, abs=0.005)
    assert min(cut["chunk_end_second"] for cut in cuts) >= 1.02 - 1e-6


def test_short_clips_are_whole_and_padded(corpus: Path) -> None:
    drawn(corpus, Path("mixtures"), replace(RECIPE, count=20))
    found = 0
    for row, item in zip(
        read_mixtures(Path("mixtures/train/data.jsonl")),
        hive.items(Path("mixtures"), "train"),
        strict=True,
    ):
        for source in row["sources"]:
            if source["label"] == "train":
                found += 1
                assert (source["chunk_start_second"], source["chunk_end_second"]) == (0, 0.2)
                wave = item.read().references[source["source_id"]][0]
                assert wave[:1600].any()
                assert not wave[1600:].any()
    assert found


def test_seed_and_number_decide(corpus: Path) -> None:
    texts = [
        drawn(corpus, Path(f"m{n}/x"), recipe).read_text()
        for n, recipe in enumerate((RECIPE, RECIPE, replace(RECIPE, seed=1)))
    ]
    assert texts[0] == texts[1] != texts[2]
    more = drawn(corpus, Path("m3/x"), replace(RECIPE, count=8)).read_text()
    assert more.startswith(texts[0])


def test_parquet_is_the_same(corpus: Path) -> None:
    pytest.importorskip("pyarrow")
    rows = read_mixtures(drawn(corpus, Path("a")))
    assert read_mixtures(drawn(corpus, Path("b"), suffix=".parquet")) == rows
    assert [i.facts for i in hive.items(Path("a"), "train")] == [
        i.facts for i in hive.items(Path("b"), "train")
    ]


def test_paths_count_from_where_the_reader_looks(corpus: Path) -> None:
    Path("mixtures/audio").mkdir(parents=True)
    drawn(corpus, Path("mixtures"))
    assert all(item.read() for item in hive.items(Path("mixtures"), "train"))


def test_only_single_sounds_of_the_split(corpus: Path) -> None:
    test = replace(RECIPE, split="test", sources=(1, 1), count=3)
    rows = read_mixtures(drawn(corpus, Path("mixtures"), test))
    assert {s["label"] for row in rows for s in row["sources"]} == {"wind"}
    with pytest.raises(UsageError, match=r"no single sounds .* split validation"):
        drawn(corpus, Path("other"), replace(RECIPE, split="validation"))
    with pytest.raises(UsageError, match="1 kinds of single sounds"):
        drawn(corpus, Path("other"), replace(test, sources=(2, 2)))


def test_second_streams_are_left_out(clip: Make) -> None:
    clips = [clip("dog"), clip("rain", stream=1)]
    assert [c.label for c in usable(clips, "train", ignore)] == ["dog"]


def test_a_manifest_is_not_overwritten(corpus: Path) -> None:
    drawn(corpus, Path("mixtures"))
    with pytest.raises(UsageError, match=r"data\.jsonl is there already"):
        drawn(corpus, Path("mixtures"))


def test_broken_clips_are_told_and_replaced(corpus: Path) -> None:
    clips = stock_of(corpus).clips()
    clips[0].path.unlink()
    wave = np.zeros(8000)
    soundfile.write(clips[2].path, wave, 8000)
    told: dict[str, str] = {}

    def broken(clip: Clip, error: ItemError) -> None:
        assert clip.path.name not in told
        told[clip.path.name] = str(error)

    many = replace(RECIPE, count=30)
    list(draw_manifest(Path("mixtures"), stock_of(corpus), many, ".jsonl", broken))
    assert set(told) == {clips[0].path.name, clips[2].path.name}
    assert "silent" in told[clips[2].path.name]
    rows = read_mixtures(Path("mixtures/train/data.jsonl"))
    assert len(rows) == 30
    used = {Path(source["path"]).name for row in rows for source in row["sources"]}
    assert not used & set(told)


def test_too_many_broken_clips(clip: Make, stock: Callable[..., Pantry]) -> None:
    pantry = stock(clip("dog"), clip("rain"))
    soundfile.write(pantry.clips[0].path, np.zeros(8000), 8000)
    told: list[Clip] = []
    mixer = Mixer(pantry, RECIPE, Path("m"), lambda clip, _: told.append(clip))
    with pytest.raises(UsageError, match="1 kinds of single sounds"):
        list(mixer.rows())
    assert told == [pantry.clips[0]]


def test_a_cut_that_is_silent_is_broken(
    clip: Make, stock: Callable[..., Pantry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hive, "cut", lambda *_: np.zeros(10))
    told: list[str] = []
    pantry = stock(clip("dog"), clip("rain"))
    mixer = Mixer(pantry, RECIPE, Path("m"), lambda _, error: told.append(str(error)))
    with pytest.raises(UsageError, match="0 kinds"):
        list(mixer.rows())
    assert len(told) == 2
    assert all("silence where" in text for text in told)


def test_corpora_in_words() -> None:
    found = corpus_of("class-folders:a/b:c")
    assert (found.kind, found.root) == ("class-folders", Path("a/b:c"))
    for wrong in ("a/b", "esc10:", ""):
        with pytest.raises(UsageError, match="not a corpus") as caught:
            corpus_of(wrong)
        assert "KIND:ROOT" in caught.value.remedy


def test_what_a_training_mixes(config: Callable[..., Any]) -> None:
    read = config(licences=["CC0"], emphasis={"dog": 2.0}, memory_gib=0.5)
    stock = Stock.of(read)
    assert stock == Stock(read.corpora, ["CC0"], None, {"dog": 2.0}, 0.5)


def test_licences_choose(corpus: Path) -> None:
    lines = [json.loads(line) for line in corpus.read_text().splitlines()]
    lines[0]["ship"] = False
    corpus.write_text("".join(json.dumps(line) + "\n" for line in lines))
    every = stock_of(corpus)
    assert len(every.clips()) == len(replace(every, licences="shippable").clips()) + 1
