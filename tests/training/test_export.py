"""What an exported model's entry says of its parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from sepcli.hashing import sha256_of
from sepcli.registry.store import Registry
from sepcli.training.config import CorpusConfig, SeparatorConfig
from sepcli.training.export import Finished, export, halved, query_files, weights_licence
from sepcli.training.networks import build_masker
from sepcli.training.objectives import build_objective
from sepcli.training.presence import Verdict
from sepcli.training.separator import Trainable
from sepcli.training.teacher import load_teacher


def config(**values: Any) -> SeparatorConfig:
    defaults: dict[str, Any] = {
        "kind": "separator",
        "corpora": [CorpusConfig(kind="esc10", root=Path("esc10"))],
        "clap": "model:everyday",
        "network": {"name": "band-unet", "widths": [4, 6, 8, 8], "hidden": 8},
        "steps": 1,
        "batch": 1,
        "seconds": 1,
        "lr": 1e-3,
    }
    return SeparatorConfig(**{**defaults, **values})


def finished(verdict: Verdict | None = None, **values: Any) -> Finished:
    read = config(**values)
    teacher = load_teacher(read.clap)
    module = Trainable(
        build_masker(read.network, teacher.dimension), build_objective(read.objective, teacher)
    )
    return Finished(read, module, [], verdict, {})


def test_the_entry_holds_hashes_and_sizes_of_its_files() -> None:
    export(finished(Verdict(0.9, 0.61)), Path())
    entry = yaml.safe_load(Path("model.yaml").read_text())
    assert set(entry["files"]) == {"separator", "clap", "tokenizer"}
    for file in entry["files"].values():
        path = Path(file["source"])
        assert file["sha256"] == sha256_of(path)
        assert file["size"] == path.stat().st_size
    assert entry["query"] == {"encoder": "small-clap", "presence_threshold": 0.61}
    assert entry["arguments"]["embedding"] == 256


def test_the_paper_s_network_has_a_rate_and_one_channel() -> None:
    network = {"name": "bimodal-unet", "ngf": 4, "num_downs": 5, "num_res_layers": 0}
    export(finished(network=network), Path())
    entry = yaml.safe_load(Path("model.yaml").read_text())
    assert (entry["architecture"], entry["sample_rate"], entry["channels"]) == (
        "bimodal-unet",
        16_000,
        1,
    )
    assert entry["arguments"]["ngf"] == 4


def test_files_that_are_published_stay_where_they_are() -> None:
    encoder, files = query_files("model:bimodal", Path())
    entry = Registry().find("bimodal").entry
    assert entry.query is not None
    assert encoder == {"encoder": entry.query.encoder}
    remote = [role for role in ("clap", "tokenizer") if entry.files[role].remote]
    assert remote
    for role in remote:
        assert files[role]["source"] == entry.files[role].source
    assert not list(Path().glob("*.safetensors"))


@pytest.mark.parametrize(
    ("licences", "weights"),
    [
        ("shippable", "CC-BY-SA-4.0"),
        ("permissive", "CC-BY-4.0"),
        ("any", "not for publication"),
        (["GPL-2"], "not for publication"),
    ],
)
def test_the_weights_licence_follows_the_recordings(licences: Any, weights: str) -> None:
    assert weights_licence(config(licences=licences)) == weights


def test_only_floats_are_halved() -> None:
    small = halved({"a": torch.tensor([1.5, 1e-3]), "n": torch.tensor([3])})
    assert small["a"].dtype == torch.float16
    assert small["n"].dtype == torch.int64
