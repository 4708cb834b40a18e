"""The manifests that ship, and the mixtures they describe."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.errors import ItemError
from sepcli.evaluation.datasets.base import ProbedItem
from sepcli.evaluation.datasets.zero_db import (
    DEMO,
    MANIFESTS,
    Manifest,
    esc10_words,
    plain_words,
    recording,
)
from sepcli.evaluation.mixtures import LEVEL, draw_many, draw_pairs, read_manifest
from sepcli.training.corpora.readers.esc import read_esc10
from sepcli.training.mixing.level import active_rms
from sepcli.training.ontology import Ontology

SEED = 20261122


@pytest.fixture(scope="module")
def demo() -> Manifest:
    return Manifest("demo", esc10_words())


def test_the_manifests_are_what_their_seed_draws() -> None:
    clips, ontology = list(read_esc10(DEMO)), Ontology.load()
    assert {clip.split for clip in clips} == {"test"}
    pairs = draw_pairs(clips, DEMO, 4, ontology, SEED)
    assert pairs == read_manifest(MANIFESTS / "demo.jsonl")
    many = draw_many(clips, DEMO, (2, 3, 4, 5), 40, ontology, SEED)
    assert many == read_manifest(MANIFESTS / "demo-many.jsonl")


@pytest.mark.parametrize("name", ["demo", "demo-many", "package-disjoint"])
def test_nothing_alike_meets(name: str) -> None:
    ontology = Ontology.load()
    for mixture in read_manifest(MANIFESTS / f"{name}.jsonl"):
        labels = [*mixture.labels, mixture.absent]
        for at, label in enumerate(labels):
            assert not any(ontology.alike(label, other) for other in labels[:at])


def test_a_mixture_is_the_sum_of_equally_loud_sources(demo: Manifest) -> None:
    item = demo.items(DEMO, "test")[7]
    example = item.read()
    assert example.rate == 44100
    assert example.mixture.shape == (1, 5 * 44100)
    assert np.array_equal(example.mixture, sum(example.references.values()))
    for wave in example.references.values():
        assert active_rms(wave) == pytest.approx(LEVEL, rel=1e-6)
    assert example.mixture.dtype == np.float64


def test_items_say_how_to_ask(demo: Manifest) -> None:
    items = demo.items(DEMO, "test")
    assert len(items) == 320
    assert len({item.name for item in items}) == 320
    item = items[0]
    assert isinstance(item, ProbedItem)
    assert item.stems == ("dog", "sneeze")
    assert item.queries == {"dog": "dog barking", "sneeze": "sneezing"}
    assert item.paraphrases["dog"][0] == "a hound woofing"
    assert item.absent == "rooster crowing"
    assert set(item.others) == set(esc10_words()) - {"dog", "sneeze"}
    assert pickle.loads(pickle.dumps(item)) == item


def test_examples_are_other_recordings_of_the_class(demo: Manifest) -> None:
    for item in demo.items(DEMO, "test"):
        for stem, file in zip(item.stems, item.mixture.files, strict=True):
            other = item.examples[stem].name
            assert recording(other) != recording(file)
            assert other in demo.clips[stem]


def test_a_missing_clip_fails_its_item(demo: Manifest, tmp_path: Path) -> None:
    with pytest.raises(ItemError, match=r"0000-dog-sneeze.*4-182395-A"):
        demo.items(tmp_path, "test")[0].read()


def test_a_silent_clip_fails_its_item(demo: Manifest, tmp_path: Path) -> None:
    for name in demo.mixtures[0].files:
        soundfile.write(tmp_path / name, np.zeros(44100), 44100, format="WAV")
    with pytest.raises(ItemError, match="silent"):
        demo.items(tmp_path, "test")[0].read()


def test_recognises_its_own_clips(demo: Manifest, tmp_path: Path) -> None:
    evidence = demo.recognise(DEMO)
    assert evidence is not None
    assert evidence.reason == "80 of 80 clips"
    assert demo.recognise(tmp_path) is None


def test_every_label_of_the_disjoint_set_has_words() -> None:
    words = plain_words()
    for mixture in read_manifest(MANIFESTS / "package-disjoint.jsonl"):
        assert all(words[label][0] for label in (*mixture.labels, mixture.absent))
