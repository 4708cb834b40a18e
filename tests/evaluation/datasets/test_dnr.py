"""Divide and Remaster, versions 2 and 3."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from sepcli.evaluation.datasets import dnr2, dnr3

Tree = Callable[[str], Path]


def test_version_2(tree: Tree) -> None:
    root = tree("dnr2")
    items = dnr2.items(root, "tt")
    assert [item.name for item in items] == ["0999", "1002"]
    assert [item.name for item in dnr2.items(root, "cv")] == ["77"]
    example = items[1].read()
    assert (example.rate, tuple(example.references)) == (44_100, ("speech", "music", "sfx"))
    for stem, wave in (("mix", example.mixture), *example.references.items()):
        np.testing.assert_array_equal(wave[0], soundfile.read(root / f"tt/1002/{stem}.wav")[0])
    np.testing.assert_allclose(sum(example.references.values()), example.mixture, atol=1e-7)


def test_version_3_by_language(tree: Tree) -> None:
    root = tree("dnr3")
    items = dnr3.items(root, "test")
    assert [(x.name, x.facts["subset"]) for x in items] == [
        ("eng/000000", "eng"),
        ("fra/000000", "fra"),
    ]
    assert [item.name for item in dnr3.items(root, "val")] == ["eng/000007"]
    example = items[0].read()
    assert example.rate == 48_000
    path = root / "audio/eng/test/000000/mixture.wav"
    np.testing.assert_array_equal(example.mixture[0], soundfile.read(path)[0])


def test_version_3_of_one_language(tree: Tree) -> None:
    root = tree("dnr3") / "audio"
    assert [item.name for item in dnr3.items(root / "fra", "test")] == ["fra/000000"]
    assert len(dnr3.items(root, "test")) == 2
