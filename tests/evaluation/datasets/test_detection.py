"""Every data set is told from every other by what is in its folder."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from sepcli.errors import UsageError
from sepcli.evaluation.datasets import find
from sepcli.evaluation.datasets.catalogue import ALIASES, DATASETS
from sepcli.evaluation.datasets.find import detect, items_of, locate
from sepcli.evaluation.protocols import find_protocol

NAMES = list(DATASETS)
SAME_LOOKS = {
    "wsj0-2mix": {"lrs2-2mix"},
    "lrs2-2mix": {"wsj0-2mix"},
    "esc50": {"esc10"},
    **{
        f"audiosep-{name}": {
            f"audiosep-{x}" for x in ("audiocaps", "clotho", "music", "esc50") if x != name
        }
        for name in ("audiocaps", "clotho", "music", "esc50")
    },
}


def test_there_is_a_tree_for_every_data_set(forest: dict[str, Path]) -> None:
    shipped = {"demo", "demo-many", "package-disjoint"}
    assert set(forest) == set(DATASETS) - shipped


def test_detection_picks_the_right_one(forest: dict[str, Path]) -> None:
    for name, root in forest.items():
        found = detect(root)
        assert found[0][0] == name
        assert all(evidence.reason for _, evidence in found)
        certain = [other for other, evidence in found if evidence.certainty > 0.1]
        assert set(certain) - {name, "folder"} == SAME_LOOKS.get(name, set())
        assert all(row[1].certainty < found[0][1].certainty for row in found[1:])


def test_what_files_cannot_decide_is_not_certain(forest: dict[str, Path]) -> None:
    for name in ("musdb18hq", "wsj0-2mix", "lrs2-2mix", "music", "vggsound", "folder"):
        evidence = DATASETS[name].recognise(forest[name])
        assert evidence is not None
        assert evidence.certainty < 1


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert detect(tmp_path / "empty") == []
    assert detect(tmp_path / "nowhere") == []


def test_every_item_travels_and_sums_up(forest: dict[str, Path]) -> None:
    for name, root in forest.items():
        located = locate(name, root, {})
        items = items_of(located)
        names = [item.name for item in items]
        assert names == sorted(set(names)), name
        item = pickle.loads(pickle.dumps(items[0]))
        assert (item.name, item.stems, item.files) == (names[0], items[0].stems, items[0].files)
        example = item.read()
        assert tuple(example.references) == item.stems
        assert set(item.queries) <= set(item.stems)
        assert all(path.is_file() for path in item.files)
        for wave in (example.mixture, *example.references.values()):
            assert wave.dtype == np.float64
            assert wave.shape == example.mixture.shape
            assert np.abs(wave).max() > 0


def test_reading_twice_gives_the_same(forest: dict[str, Path]) -> None:
    for name in ("music", "audiocaps", "esc10", "esc50"):
        first, second = (items_of(locate(name, forest[name], {})) for _ in range(2))
        assert [item.files for item in first] == [item.files for item in second]
        np.testing.assert_array_equal(first[0].read().mixture, second[0].read().mixture)


def test_entries_are_whole() -> None:
    for name, dataset in DATASETS.items():
        for text in ("title", "licence", "size", "how_to_get", "signature"):
            assert getattr(dataset, text), (name, text)
        assert dataset.splits, name
        for protocol in dataset.protocols:
            assert find_protocol(protocol).metrics
    assert all(set(names) <= set(DATASETS) for names in ALIASES.values())


def test_an_alias_means_what_is_there(forest: dict[str, Path]) -> None:
    assert locate("musdb", forest["musdb18"], {}).name == "musdb18"
    assert locate("musdb", forest["musdb18hq"], {}).name == "musdb18hq"


def test_sepcli_data_is_the_default_root(forest: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "MUSDB18-HQ").symlink_to(forest["musdb18hq"])
    located = locate("musdb", None, {"SEPCLI_DATA": str(tmp_path)})
    assert (located.name, located.root) == ("musdb18hq", tmp_path / "MUSDB18-HQ")
    assert "mixture, drums, bass" in located.evidence.reason


def test_what_ships_with_sepcli_needs_no_root() -> None:
    located = locate("demo", None, {})
    assert located.evidence.certainty == 1
    assert items_of(located)[0].read().rate == 44_100


def test_a_missing_data_set_says_how_to_get_it(tmp_path: Path) -> None:
    for environ in ({}, {"SEPCLI_DATA": str(tmp_path)}):
        with pytest.raises(UsageError, match="musdb18hq") as caught:
            locate("musdb", None, environ)
        for word in ("academic", "size", "Zenodo record 3338373"):
            assert word in caught.value.remedy
    with pytest.raises(UsageError, match="no such folder"):
        locate("slakh", tmp_path / "nowhere", {})


def test_a_wrong_root_says_what_it_looks_like(forest: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="it looks like slakh"):
        locate("musdb", forest["slakh"], {})


def test_unknown_names_and_splits(forest: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="did you mean musdb18"):
        locate("musdb1", forest["slakh"], {})
    located = locate("slakh", forest["slakh"], {})
    with pytest.raises(UsageError, match="no split tests") as caught:
        items_of(located, "tests")
    assert "validation" in caught.value.remedy
    with pytest.raises(UsageError, match="nothing in the split validation"):
        items_of(located, "validation")


def test_two_items_of_one_name_are_refused(
    forest: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    located = locate("dnr2", forest["dnr2"], {})
    doubled = list(located.dataset.items(located.root, "tt")) * 2
    entry = type(located.dataset)(**{**vars(located.dataset), "items": lambda root, split: doubled})
    monkeypatch.setitem(find.DATASETS, "dnr2", entry)
    with pytest.raises(UsageError, match="two items named 0999"):
        items_of(located)
