"""The list of metrics: that every entry keeps what it promises."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from sepcli.errors import UsageError
from sepcli.evaluation.metrics import mapss_backbones
from sepcli.evaluation.metrics.catalogue import METRICS, SYNONYMS, columns, find
from sepcli.evaluation.scene import Compat

SLOW = {"mapss", "clap_score", "visqol"}


@pytest.mark.parametrize("name", METRICS)
def test_headers_say_what_a_metric_is_blind_to(name: str) -> None:
    header = import_module(f"sepcli.evaluation.metrics.{METRICS[name].module}").__doc__
    assert header is not None
    assert "blind" in header.lower()


@pytest.mark.parametrize("name", METRICS)
def test_columns_are_what_the_entry_says(
    make_scene: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(mapss_backbones.VARIABLE, mapss_backbones.RAW)
    scene = make_scene(channels=1 if name == "bss_v3" else 2, seconds=1.0)
    scores = METRICS[name].load()(scene)
    assert list(scores) == list(METRICS[name].columns)
    for values in scores.values():
        assert values.dtype == np.float64
        assert len(values) == 2
        assert np.isfinite(values).any(axis=-1).all()


@pytest.mark.parametrize("compat", ["museval", "audiosep", "mdx", "msst"])
@pytest.mark.parametrize("name", sorted(METRICS.keys() - SLOW))
def test_no_compat_mode_changes_columns(make_scene: Any, name: str, compat: Compat) -> None:
    scene = make_scene(channels=1 if name == "bss_v3" else 2)
    assert list(METRICS[name].load()(scene, compat)) == list(METRICS[name].columns)


def test_every_column_has_one_metric() -> None:
    counted = Counter(column for metric in METRICS.values() for column in metric.columns)
    assert max(counted.values()) == 1
    assert columns().keys() == counted.keys()
    assert columns()["sdri"] == "sdr"
    assert columns()["isr_v3"] == "bss_images_v3"


def test_entries_are_printable() -> None:
    for metric in METRICS.values():
        assert 0 < len(metric.summary) <= 80
        assert set(metric.columns.values()) <= {"", "dB", "LU", "MOS"}
    assert METRICS["loudness"].higher_is_better is None


def test_names_and_synonyms() -> None:
    assert find("sdr") is METRICS["sdr"]
    assert find("usdr") is find("snr") is METRICS["sdr"]
    assert find("fullness") is METRICS["bleedless"]
    assert not SYNONYMS.keys() & METRICS.keys()


@pytest.mark.parametrize(("name", "hint"), [("sisdr", r" \(did you mean si_sdr\?\)"), ("xyz", "$")])
def test_misspelt_names(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"no metric {name}{hint}") as refusal:
        find(name)
    assert refusal.value.remedy == "`sepcli eval metrics` lists them"


def test_the_list_itself_is_cheap() -> None:
    """`sepcli eval metrics` waits for no metric's libraries."""
    program = "import sys, sepcli.evaluation.metrics.catalogue; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "scipy", "pesq", "visqol", "pyloudnorm"} & set(loaded)
