"""Configs: what they say, what is wrong with them, and where their paths lead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from sepcli.errors import UsageError
from sepcli.training.config import BimodalUNetConfig, ClapConfig, SeparatorConfig, Weak
from sepcli.training.load_config import load_config, read_run_config

EXAMPLES = Path(__file__).parents[2] / "examples"
SEPARATOR = {
    "kind": "separator",
    "corpora": [{"kind": "manifest", "root": "clips.jsonl"}],
    "clap": "model:everyday",
    "steps": 10,
    "batch": 4,
    "seconds": 2,
    "lr": "1e-3",
}


def write(**values: object) -> Path:
    path = Path("configs/run.yaml")
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump({**SEPARATOR, **values}))
    return path


def read(*overrides: str, **values: object) -> SeparatorConfig:
    config = load_config(write(**values), overrides)
    assert isinstance(config, SeparatorConfig)
    return config


def refused(*overrides: str, **values: object) -> str:
    with pytest.raises(UsageError) as caught:
        load_config(write(**values), overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("train_*.yaml")), ids=lambda path: path.stem)
def test_every_example_is_valid(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEPCLI_DATA", "/data")
    load_config(path)
    command = path.read_text().splitlines()[0]
    assert command.startswith("# ")
    assert f"sepcli train examples/{path.name}" in command


def test_what_is_left_out_has_its_usual_value() -> None:
    config = read()
    assert config.lr == 1e-3
    assert config.objective.name == "supervised"
    assert config.schedule.warmup == 0.08
    assert config.network.name == "band-unet"


def test_all_errors_are_told_at_once() -> None:
    text = refused(
        objectve={},
        network={"name": "band-unit"},
        objective={"name": "supervised", "loss": "snrr", "questons": 2},
        loop={"clip": -1, "workers": 1.5},
        corpora=[{"kind": "manifest", "rooot": "x"}],
    )
    assert text.startswith("configs/run.yaml: ")
    assert set(text.removeprefix("configs/run.yaml: ").split("; ")) == {
        "objectve: unknown key (did you mean objective?)",
        "network.name: must be one of band-unet, bimodal-unet, clipsep, tiger, not band-unit"
        " (did you mean band-unet?)",
        "objective.loss: must be one of snr, si-sdr, l1-magnitude, l1-weighted,"
        " multi-resolution-stft, not snrr (did you mean snr?)",
        "objective.questons: unknown key (did you mean questions?)",
        "loop.clip: Input should be greater than 0, not -1",
        "loop.workers: Input should be a valid integer, got a number with a fractional part,"
        " not 1.5",
        "corpora.0.root: is missing",
        "corpora.0.rooot: unknown key (did you mean root?)",
    }


def test_names_inside_an_objective_are_told_by_their_path() -> None:
    semi = {
        "name": "semi",
        "fraction": 0.1,
        "weak": {"contrast": "ac", "contrat_weight": 1},
        "supervised": {"los": "snr"},
    }
    text = refused(objective=semi)
    assert (
        "objective.weak.contrast: must be one of infonce, auc, not ac (did you mean auc?)" in text
    )
    assert "objective.weak.contrat_weight: unknown key (did you mean contrast_weight?)" in text
    assert "objective.supervised.los: unknown key (did you mean loss?)" in text


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "seperator"}, "kind: must be one of clap, separator, not seperator (did you"),
        ({"network": "band-unet"}, "network: must be a section with keys, not band-unet"),
        ({"loop": 3}, "loop: must be a section with keys, not 3"),
        ({"lr": float("nan")}, "lr: Input should be a finite number"),
        ({"licences": "shippble"}, "licences: must be one of shippable, permissive, any"),
        ({"emphasis": {"dog": 0}}, "emphasis.dog: Input should be greater than 0"),
        ({"mixing": {"sources": {"two": 1}}}, "mixing.sources.two: Input should be a valid int"),
        ({"corpora": []}, "corpora: "),
        (
            {"corpora": [{"kind": "manifst", "root": "x"}], "steps": 0},
            "vggsound, music, musdb18, musdb18-hq, manifest, not manifst (did you mean manifest?)",
        ),
        ({"objective": {"name": "weak"}}, "needs `mixing: {parts: 2}`"),
        ({"mixing": {"speeds": [1.2, 0.8]}}, "mixing.speeds: the first of [1.2, 0.8] must be"),
        (
            {"objective": {"name": "mixit", "outputs": 2}, "mixing": {"parts": 3}},
            "at least one output for every part",
        ),
        ({"objective": {"name": "pit", "outputs": 2}}, "as many outputs"),
        ({"clap": "$NOWHERE_AT_ALL/clap"}, "a variable in $NOWHERE_AT_ALL/clap is not set"),
    ],
)
def test_what_is_refused(values: dict[str, object], message: str) -> None:
    assert message in refused(**values)


def test_overrides_reach_into_sections() -> None:
    config = read(
        "steps=200",
        "lr=5e-4",
        "network.widths=[8, 12, 16, 16]",
        "loop.ema=0.9",
        "mixing.sources={2: 1}",
        "mixing.sources.3=0.5",
        "corpora.0.root=other.jsonl",
        "emphasis.dog=2",
        "loop.clip=null",
        mixing={"parts": 2},
        objective={"name": "weak"},
    )
    assert (config.steps, config.lr, config.loop.ema) == (200, 5e-4, 0.9)
    assert config.loop.clip is None
    assert config.network.name == "band-unet"
    assert config.network.widths == (8, 12, 16, 16)
    assert config.mixing.parts == 2
    assert config.mixing.sources == {2: 1, 3: 0.5}
    assert config.corpora[0].root.name == "other.jsonl"
    assert config.emphasis == {"dog": 2}
    assert isinstance(config.objective, Weak)


def test_overrides_are_checked_like_the_file() -> None:
    text = refused(
        "runs/x", "loop.emma=1", "steps.x=3", "corpora.1.root=b", "lr=[", "=3", "batch=0"
    )
    assert set(text.removeprefix("configs/run.yaml: ").split("; ")) == {
        "runs/x: an override is key=value",
        "steps.x: there is no such place in the config",
        "corpora.1.root: there is no such place in the config",
        "lr: [ is not valid YAML",
        "=3: an override is key=value",
        "loop.emma: unknown key (did you mean ema?)",
        "batch: Input should be greater than or equal to 1, not 0",
    }


def test_paths_start_from_the_config(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path.cwd()
    config = read(clap="../runs/clap", start="~/start")
    assert config.clap == str(here / "runs/clap")
    assert config.start == str(Path("~/start").expanduser())
    assert config.corpora[0].root == here / "configs/clips.jsonl"
    monkeypatch.setenv("SEPCLI_DATA", "/data")
    corpus = {"kind": "esc10", "root": "${SEPCLI_DATA}/esc10", "origins": "of.txt"}
    config = read(corpora=[corpus])
    assert config.corpora[0].root == Path("/data/esc10")
    assert config.corpora[0].origins == here / "configs/of.txt"
    assert read().clap == "model:everyday"


def test_a_run_knows_its_config() -> None:
    for number, config in enumerate(
        (
            read(network={"name": "bimodal-unet", "ngf": 8}),
            load_config(EXAMPLES / "train_clap.yaml", ["corpora=[{kind: manifest, root: x}]"]),
        )
    ):
        run = Path(f"run{number}")
        run.mkdir()
        (run / "config.json").write_text(config.model_dump_json())
        assert read_run_config(run) == config
    assert isinstance(config, ClapConfig)
    network = json.loads(Path("run0/config.json").read_text())["network"]
    assert BimodalUNetConfig(**network).ngf == 8


def test_what_is_no_run() -> None:
    with pytest.raises(UsageError, match="nowhere is not the folder of a run"):
        read_run_config(Path("nowhere"))
    Path("config.json").write_text("{")
    with pytest.raises(UsageError, match="not the folder of a run"):
        read_run_config(Path())
    Path("config.json").write_text('{"kind": "clap", "save_every": 3}')
    with pytest.raises(UsageError, match="save_every: unknown key") as caught:
        read_run_config(Path())
    assert caught.value.remedy == "train it anew with this version"
