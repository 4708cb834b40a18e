"""ESC-10 and ESC-50 at "0 dB"."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sepcli.errors import ItemError
from sepcli.evaluation.datasets import esc
from sepcli.training.mixing.level import active_rms

Tree = Callable[[str], Path]


def test_every_clip_of_a_fold_comes_first_once(tree: Tree) -> None:
    root = tree("esc50")
    items = esc.esc50(root, "fold1")
    assert len(items) == 12
    assert len({item.mixture.files[0] for item in items}) == 12
    assert esc.esc50(root, "fold2") == []
    item = items[0]
    assert item.stems == item.mixture.labels
    assert item.queries == {stem: stem for stem in item.stems}
    assert "sea waves" in {stem for item in items for stem in item.stems}


def test_alike_sounds_never_meet(tree: Tree) -> None:
    for item in esc.esc50(tree("esc50"), "fold1"):
        assert set(item.stems) not in ({"rooster", "hen"}, {"rain", "sea waves"})
        assert len(set(item.stems)) == 2


def test_sources_are_equally_loud(tree: Tree) -> None:
    example = esc.esc50(tree("esc50"), "fold1")[0].read()
    assert (example.rate, example.mixture.shape) == (44_100, (1, 220_500))
    for wave in example.references.values():
        assert active_rms(wave) == pytest.approx(0.1, rel=1e-5)
    np.testing.assert_allclose(sum(example.references.values()), example.mixture, atol=1e-12)


def test_the_ten_classes_within_fifty(tree: Tree) -> None:
    items = esc.esc10(tree("esc50"), "fold1")
    labels = {stem for item in items for stem in item.stems}
    assert labels == {"dog", "rooster", "rain", "chainsaw"}
    assert len(items) == 8


def test_a_folder_of_esc10(tree: Tree) -> None:
    items = esc.esc10(tree("esc10"), "fold1")
    assert [item.stems[0] for item in items] == ["dog bark", "rooster", "rain", "sea waves"]


def test_examples_are_of_another_recording(tree: Tree) -> None:
    for item in esc.esc50(tree("esc50"), "fold1"):
        for stem, file in zip(item.stems, item.mixture.files, strict=True):
            other = item.examples[stem]
            assert other.is_file()
            assert other.name != Path(file).name
            assert other.name.split("-")[3] == Path(file).name.split("-")[3]


def test_the_only_recording_of_a_class_is_its_own_example(tree: Tree) -> None:
    item = esc.esc10(tree("esc10"), "fold1")[0]
    assert [path.name for path in item.examples.values()] == list(item.mixture.files)


def test_the_draw_does_not_depend_on_what_is_there(tree: Tree) -> None:
    root = tree("esc50")
    before = [item.mixture for item in esc.esc50(root, "fold1")]
    gone = root / before[0].files[0]
    gone.unlink()
    items = esc.esc50(root, "fold1")
    assert [item.mixture for item in items] == before
    with pytest.raises(ItemError, match=gone.name):
        items[0].read()


def test_groups_of_labels_do_not_contradict() -> None:
    labels = sorted({label for row in esc.ALIKE for label in row})
    ontology = esc.ontology(labels)
    for row in esc.ALIKE:
        assert all(ontology.alike(a, b) for a in row for b in row), row
    assert len(labels) == sum(map(len, esc.ALIKE))
    assert not ontology.alike("rain", "rooster")
