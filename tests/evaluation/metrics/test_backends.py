"""Whose code computes a metric."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sepcli.errors import ModelError, UsageError
from sepcli.evaluation.metrics import bss_eval_v3, bss_eval_v4, originals, sdr
from sepcli.evaluation.metrics.backends import load
from sepcli.evaluation.metrics.checkpoints import checkpoints_of
from sepcli.hashing import sha256_of
from sepcli.registry.store import Registry


def test_a_backend_computes_what_it_knows_and_leaves_the_rest() -> None:
    assert load("bss_v3", "mir_eval") is originals.evaluate_mir_eval
    assert load("bss_images_v3", "mir_eval") is originals.evaluate_mir_eval_images
    assert load("bss_v4", "museval") is originals.evaluate_museval
    assert load("bss_v4", "mir_eval") is bss_eval_v4.evaluate
    assert load("bss_v3") is bss_eval_v3.evaluate
    assert load("usdr", "museval") is sdr.evaluate


def test_a_missing_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sepcli.evaluation.metrics.pesq", None)
    with pytest.raises(UsageError, match="metric pesq is not installed") as caught:
        load("pesq")
    assert caught.value.remedy == "install it: pip install 'sepcli[speech]'"


def test_weights_of_metrics_are_named_by_their_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clap = sha256_of(Registry().find(None).path("clap"))
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    monkeypatch.setenv("SEPCLI_MAPSS_MODEL", str(tmp_path))
    assert checkpoints_of(["sdr", "clap_score", "fad", "mapss"]) == (
        ("clap_score", clap),
        ("fad", clap),
        ("mapss", sha256_of(tmp_path / "model.safetensors")),
    )
    monkeypatch.delenv("SEPCLI_MAPSS_MODEL")
    with pytest.raises(ModelError):
        checkpoints_of(["mapss"])
