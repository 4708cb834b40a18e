"""The entries of published models, and files that only a person can get."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import torch

from sepcli.errors import ModelError
from sepcli.registry.convert import CONVERTERS
from sepcli.registry.load import ARCHITECTURES, ENCODERS
from sepcli.registry.pull import pull
from sepcli.registry.store import Registry
from sepcli.registry.verify import verify_all

Sepcli = Callable[..., int]
PUBLISHED = ("audiosep", "audiosep-hive", "audiosep-dcase2024", "bimodal")


@pytest.mark.parametrize("name", PUBLISHED)
def test_entries_fit_the_networks_encoders_and_converters(name: str) -> None:
    entry = Registry().find(name).entry
    with torch.device("meta"):
        ARCHITECTURES[entry.architecture](**entry.arguments)
    assert entry.channels == 1
    assert entry.query is not None
    assert entry.query.encoder in ENCODERS
    for role, file in entry.files.items():
        assert file.by_hand or file.remote
        if role != "tokenizer" and file.remote:
            assert file.convert in CONVERTERS
    if entry.architecture == "resunet30":
        assert entry.sample_rate == 100 * entry.arguments["hop"]  # 10 ms


def test_models_that_ask_the_same_clap_share_its_file() -> None:
    models = [Registry().find(name) for name in PUBLISHED[:3]]
    assert len({model.place("clap") for model in models}) == 1


def test_what_is_got_by_hand_is_refused_before_anything_is_fetched() -> None:
    model = Registry().find("bimodal")
    assert not model.downloaded
    with pytest.raises(ModelError, match="no address to download it from") as caught:
        next(pull(model))
    assert "github.com/microsoft/BiModalAudioSeparation" in caught.value.remedy
    assert "--name bimodal" in caught.value.remedy
    status = {row.role: row.status for row in verify_all(model)}
    assert set(status.values()) == {"not downloaded"}


def test_using_a_model_that_is_not_here_says_what_to_pull(
    sepcli: Sepcli, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sepcli("models", "path", "audiosep") == 3
    assert "help: sepcli models pull audiosep" in capsys.readouterr().err
    assert sepcli("models", "list", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["everyday"]["downloaded"]
    assert not rows["audiosep-hive"]["downloaded"]


@pytest.mark.parametrize(
    ("name", "stems", "parameters"),
    [
        ("tiger-speech", ["speaker1", "speaker2"], 821_932),
        ("tiger-dnr", ["dialogue", "music", "effects"], 3 * 1_407_282),
    ],
)
def test_entries_with_stems_fit_their_networks(
    name: str, stems: list[str], parameters: int
) -> None:
    entry = Registry().find(name).entry
    with torch.device("meta"):
        network = ARCHITECTURES[entry.architecture](**entry.arguments)
    assert sum(p.numel() for p in network.parameters()) == parameters
    assert (entry.stems, entry.query, entry.channels) == (stems, None, 1)
    assert entry.unordered is (name == "tiger-speech")
    file = entry.files["separator"]
    assert file.remote
    assert file.convert is None  # published under our network's keys
    assert file.sha256 is not None
    assert file.size is not None
    assert 4 * parameters < file.size < 4 * parameters + 300_000  # float32, and their names
