"""A TIGER that is trained: its outputs are its own, and nobody names them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

import sepcli
from sepcli.errors import UsageError
from sepcli.registry.load import load
from sepcli.registry.store import Registry
from sepcli.training.config import CorpusConfig, TigerConfig
from sepcli.training.corpora.select import read
from sepcli.training.load_config import load_config
from sepcli.training.loop.events import Stepped
from sepcli.training.networks import build_masker
from sepcli.training.objectives.slots import OwnOutputs, Slots, outputs_of
from sepcli.training.recipe import train
from sepcli.training.teacher import load_teacher

ROOT = Path(__file__).parents[2]
ESC = ROOT / "tests/data/esc10"
TALK = ROOT / "examples/audio/dog_and_rain.flac"
TINY = {
    "name": "tiger",
    "out_channels": 8,
    "in_channels": 8,
    "num_blocks": 1,
    "upsampling_depth": 3,
    "att_n_head": 2,
    "att_hid_chan": 2,
}


def config(**values: Any) -> Any:
    given = {
        "kind": "separator",
        "corpora": [{"kind": "esc10", "root": str(ESC)}],
        "clap": "model:everyday",
        "network": TINY,
        "objective": {"name": "pit", "outputs": 2, "loss": "snr"},
        "mixing": {"sources": {2: 1}, "backgrounds": 0},
        "example_queries": 0,
        "query_noise": 0,
        "steps": 30,
        "batch": 2,
        "seconds": 0.4,
        "lr": 5e-3,
        "threads": 1,
        "loop": {"save_every": 1000},
        **values,
    }
    Path("speakers.yaml").write_text(yaml.safe_dump(given))
    return load_config(Path("speakers.yaml"))


def test_thirty_steps_lower_the_loss_and_leave_a_model() -> None:
    events = list(train(config(), Path("run")))
    losses = [e.figures["loss"] for e in events if isinstance(e, Stepped) and e.figures]
    assert len(losses) == 30
    assert np.mean(losses[-8:]) < np.mean(losses[:8]) - 0.3

    entry = Registry().find("run").entry
    assert (entry.architecture, entry.sample_rate, entry.channels) == ("tiger", 16_000, 1)
    assert (entry.stems, entry.unordered) == (["output1", "output2"], True)
    network = load(Registry().find("run")).network
    kept = torch.load("run/checkpoint.pt", weights_only=True)["average"]
    weights = {f"masker.network.{key}" for key in network.state_dict()}  # type: ignore[attr-defined]
    assert weights == set(kept)
    report = sepcli.separate(TALK, model="run", progress=False, duration=2.0)
    assert report.exit_code == 0
    assert len(list(Path("separated").iterdir())) == 2


def test_the_masker_filters_and_goes_back() -> None:
    masker = build_masker(TigerConfig.model_validate(TINY), 4).eval()
    wave = 0.1 * torch.randn(3, 2, 4000, generator=torch.Generator().manual_seed(0))
    spec = masker.spectrogram(wave)
    assert spec.shape == (3, 2, 321, 26)
    torch.testing.assert_close(masker.waveform(spec, 4000), wave)
    outputs = OwnOutputs(2)(masker, spec[:, 0])
    assert outputs.shape == (3, 2, 321, 26)
    torch.testing.assert_close(outputs.sum(dim=1), spec[:, 0])


def test_networks_that_are_asked_learn_what_to_ask() -> None:
    teacher = load_teacher("model:everyday")
    asked, unasked = (config(network=network).network for network in ({"name": "band-unet"}, TINY))
    assert isinstance(outputs_of(asked, 2, teacher), Slots)
    own = outputs_of(unasked, 2, teacher)
    assert isinstance(own, OwnOutputs)
    assert not list(own.parameters())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"objective": {"name": "supervised"}}, "set objective pit or mixit"),
        ({"network": TINY | {"num_sources": 4}}, "as many as the objective's outputs"),
        ({"network": TINY | {"att_n_head": 3}}, "multiple of att_n_head"),
        ({"network": TINY | {"out_channels": 9, "att_n_head": 3}}, "multiple of num_sources"),
        ({"network": TINY | {"upsampling_depth": 2}}, "upsampling_depth"),
    ],
)
def test_what_cannot_be_trained_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        config(**values)


def corpus(**values: Any) -> CorpusConfig:
    return CorpusConfig(kind="esc10", root=ESC, **values)


def test_only_clips_of_some_labels() -> None:
    everything = read(corpus())
    clips = read(corpus(labels=["dog", "rain"]))
    assert {clip.label for clip in clips} == {"dog", "rain"}
    assert len(clips) == sum(clip.label in ("dog", "rain") for clip in everything)
    with pytest.raises(UsageError, match=r"labelled rian \(did you mean rain\?\)"):
        read(corpus(labels=["dog", "rian"]))


def test_origins_to_validate_on() -> None:
    everything = read(corpus())
    origin = next(clip.origin for clip in everything if clip.split == "train")
    clips = read(corpus(validation=[origin]))
    assert {clip.origin for clip in clips if clip.split == "validation"} == {origin}
    tests = [[clip.path for clip in some if clip.split == "test"] for some in (everything, clips)]
    assert tests[0] == tests[1]
    with pytest.raises(UsageError, match="is from nowhere"):
        read(corpus(validation=["nowhere"]))


def test_the_example_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEPCLI_DATA", "anywhere")
    read_config: Any = load_config(ROOT / "examples/train_speakers.yaml")
    assert read_config.network.name == "tiger"
    assert (read_config.network.num_blocks, read_config.network.out_channels) == (2, 32)
    assert read_config.corpora[0].labels == ["speech_male", "speech_female"]
    assert read_config.ontology.is_file()
