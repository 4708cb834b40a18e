"""Which split a clip belongs to never changes: the committed test manifests depend on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sepcli.training.corpora.clip import Clip, package_split, percentile
from sepcli.training.corpora.guard import reserved


def test_splits_are_fixed_by_the_package() -> None:
    names = ("0ad-data", "widelands-data", "hedgewars-data")
    assert [package_split(name) for name in names] == ["train", "test", "validation"]
    assert [percentile(name) for name in names] == [45, 10, 34]


@pytest.mark.parametrize(
    ("package", "percent", "split"),
    [
        ("p63", 24, "test"),
        ("p107", 25, "validation"),
        ("p60", 34, "validation"),
        ("p15", 35, "train"),
    ],
)
def test_a_quarter_tests_and_a_tenth_validates(package: str, percent: int, split: str) -> None:
    assert percentile(package) == percent
    assert package_split(package) == split


def test_the_packages_of_the_committed_test_are_test_packages() -> None:
    assert len(reserved().packages) == 10
    assert {package_split(name) for name in reserved().packages} == {"test"}


def test_a_clip_is_called_by_what_is_known_of_it(a_clip: Callable[..., Clip]) -> None:
    assert a_clip(labels=("dog", "rain")).label == "dog"
    assert a_clip(labels=(), phrases=("a dog",), caption="A dog and a cat").label == "a dog"
    assert a_clip(labels=(), caption="A dog and a cat").label == "A dog and a cat"
