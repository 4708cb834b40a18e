"""What labels are called, what they resemble, and what becomes of labels nobody listed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml

from sepcli.errors import UsageError
from sepcli.training.ontology import TEMPLATES, Ontology

OWN = """
wolf: [canine, wolf, a howling wolf]
fox: [canine, fox]
sea_waves: [water, sea waves]
hum: [anything, hum]
"""


@pytest.fixture
def own() -> Ontology:
    Path("own.yaml").write_text(OWN)
    return Ontology.read(Path("own.yaml"))


def test_the_shipped_ontology_is_sound() -> None:
    ontology = Ontology.read(None)
    assert ontology is Ontology.load()
    assert all(ontology.phrases.values())
    assert ontology.alike("speech", "singing")
    assert ontology.alike("ambience_mixed", "dog")
    assert not ontology.alike("dog", "rain")


def test_the_paraphrases_of_the_benchmark_are_not_trained_on() -> None:
    path = Path(__file__).parents[2] / "sepcli/evaluation/manifests/esc10_queries.yaml"
    asked = yaml.safe_load(path.read_text())
    known = {t.format(p) for t in TEMPLATES for p in Ontology.load().texts()}
    assert not {text for row in asked.values() for text in row[1:]} & known


def test_an_ontology_of_ones_own(own: Ontology) -> None:
    assert own.alike("wolf", "fox")
    assert not own.alike("wolf", "sea_waves")
    assert own.alike("hum", "sea_waves")
    assert own.names("wolf") == ("wolf", "a howling wolf")
    assert own.texts() == ["a howling wolf", "fox", "hum", "sea waves", "wolf"]
    assert own.words() == ["a", "fox", "howling", "hum", "sea", "waves", "wolf"]
    said = {own.say("wolf", random.Random(seed)) for seed in range(400)}
    assert said == {t.format(p) for t in TEMPLATES for p in own.names("wolf")}


def test_labels_that_are_not_listed_have_a_group_of_their_own(own: Ontology) -> None:
    assert own.names("Electric_guitar") == ("Electric guitar",)
    assert own.group("Electric_guitar") == "electric guitar"
    assert not own.alike("Electric_guitar", "Guitar")
    assert own.alike("Electric_guitar", "electric guitar")
    assert not own.alike("Electric_guitar", "wolf")
    assert own.alike("Electric_guitar", "hum")
    assert own.say("Rain", random.Random(0)) in {t.format("Rain") for t in TEMPLATES}


@pytest.mark.parametrize("label", ["A howling wolf", "Fox", "a_howling_wolf", "canine"])
def test_words_of_listed_labels_are_of_their_group(own: Ontology, label: str) -> None:
    assert own.group(label) == "canine"


def test_of_labels_that_share_a_phrase_the_first_has_it() -> None:
    Path("own.yaml").write_text("b: [one, hiss]\na: [two, hiss]")
    assert Ontology.read(Path("own.yaml")).group("Hiss") == "one"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wolf: [canine]", "wolf: List should have at least 2 items"),
        ("wolf: canine\nfox: [a, 1]", "wolf: Input should be a valid list.*; fox: "),
        ("1: [a, b]", "1: Input should be a valid string"),
        ("- wolf", "is not a mapping"),
        ("wolf: [", "is not valid YAML"),
    ],
)
def test_broken_ontologies(text: str, message: str) -> None:
    Path("own.yaml").write_text(text)
    with pytest.raises(UsageError, match=message):
        Ontology.read(Path("own.yaml"))


def test_a_missing_ontology() -> None:
    with pytest.raises(UsageError, match=r"cannot read none\.yaml"):
        Ontology.read(Path("none.yaml"))
