"""Trainings on a few real clips: they learn, resume exactly, and leave a model that works."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file

import sepcli
from sepcli.errors import UsageError
from sepcli.query.tokens import WordPieces
from sepcli.registry.load import load
from sepcli.registry.store import Registry
from sepcli.training import distil
from sepcli.training.load_config import load_config
from sepcli.training.loop.events import Event, Stepped, Validated
from sepcli.training.recipe import train

DATA = Path(__file__).parents[1] / "data"
EXAMPLE = Path(__file__).parents[2] / "examples/audio/dog_and_rain.flac"
SHIPPED = Path(sepcli.__file__).parent / "shipped"
COMMON = {
    "corpora": [{"kind": "esc10", "root": str(DATA / "esc10")}],
    "batch": 4,
    "seconds": 0.64,
    "lr": 1e-3,
    "threads": 1,
    "loop": {"save_every": 5},
}
TINY = {"name": "band-unet", "widths": [4, 6, 8, 8], "hidden": 8}


@pytest.fixture(autouse=True)
def quick_lesson(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few hundred words are enough here; the sentence encoder itself is real."""

    def few(vocabulary: list[str], phrases: list[str], *_: object) -> list[str]:
        return [*phrases, *vocabulary[2000:2300]]

    monkeypatch.setattr(distil, "study_texts", few)


def config_of(name: str, **values: Any) -> Any:
    Path(name).write_text(yaml.safe_dump({**COMMON, **values}))
    return load_config(Path(name))


def clap_config(**values: Any) -> Any:
    Path("labels.csv").write_text("index,mid,display_name\n0,/m/0,Speech\n1,/m/1,Bark\n")
    return config_of(
        "clap.yaml",
        kind="clap",
        tokenizer=str(SHIPPED / "tokenizer.json"),
        label_list="labels.csv",
        distil_steps=60,
        distil_batch=64,
        **{"steps": 5, **values},
    )


def separator_config(**values: Any) -> Any:
    defaults = {"clap": "model:everyday", "network": TINY, "steps": 10, "presence_steps": 4}
    return config_of("separator.yaml", kind="separator", **{**defaults, **values})


def losses(events: Iterator[Event]) -> list[float]:
    return [e.figures["loss"] for e in events if isinstance(e, Stepped) and e.figures]


def figures(events: list[Event]) -> dict[str, float]:
    return {k: v for e in events if isinstance(e, Validated) for k, v in e.figures.items()}


def test_words_first_then_sounds_then_a_separator_that_listens() -> None:
    events = list(train(clap_config(), Path("clap")))
    distilled = losses(iter(events))[:60]
    assert np.mean(distilled[-10:]) < 0.7 * np.mean(distilled[:3])
    assert {"accuracy_all", "accuracy_esc", "recall_1", "recall_10"} <= figures(events).keys()
    assert 0 <= figures(events)["recall_1"] <= figures(events)["recall_10"] <= 1

    config = separator_config(clap="clap", network=TINY | {"presence": "hears"})
    events = list(train(config, Path("run")))
    assert len(losses(iter(events))) == 10
    assert {"val_snr", "val_silence", "presence_auc"} <= figures(events).keys()

    report = sepcli.separate(EXAMPLE, "dog barking", model="run", progress=False)
    assert report.exit_code == 0
    assert Path("separated/dog_and_rain.dog-barking.flac").exists()
    card = Path("run/CARD.md").read_text()
    assert "freesound.org 100032" in card
    assert "val_snr" in card
    # The ear of the presence score is the CLAP's own.
    ear = load_file("run/clap.safetensors")["audio.output.weight"]
    assert torch.equal(load_file("run/model.safetensors")["presence.ear.output.weight"], ear)


def test_a_run_that_was_cut_ends_with_the_same_model() -> None:
    config = separator_config(network=TINY | {"presence": "sees"})
    list(train(config, Path("run")))
    steps = train(config, Path("cut"))
    for event in steps:
        if isinstance(event, Stepped) and event.step == 7:
            break
    steps.close()
    assert len(losses(train(config, Path("cut")))) == 3
    one, other = (load_file(f"{name}/model.safetensors") for name in ("run", "cut"))
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[key]) for key, value in one.items())


def test_words_are_learnt_once() -> None:
    steps = train(clap_config(), Path("clap"))
    for event in steps:
        if isinstance(event, Stepped) and event.steps == 5 and event.step == 2:
            break
    steps.close()
    assert len(losses(train(clap_config(), Path("clap")))) == 3


def test_a_small_separator_learns() -> None:
    config = separator_config(steps=60, lr=5e-3, loop={"save_every": 1000})
    curve = losses(train(config, Path("run")))
    assert np.mean(curve[-10:]) < np.mean(curve[:10]) - 0.3


def test_a_model_without_a_presence_score_says_nothing_of_presence() -> None:
    list(train(separator_config(steps=2), Path("run")))
    report = sepcli.separate(EXAMPLE, "dog barking", model="run", progress=False)
    assert report.exit_code == 0
    entry = yaml.safe_load(Path("run/model.yaml").read_text())
    assert "presence_threshold" not in entry["query"]


@pytest.mark.parametrize(
    ("objective", "consistent"),
    [({"name": "mixit", "outputs": 3}, True), ({"name": "pit", "outputs": 2}, False)],
)
def test_outputs_without_names_become_stems(objective: dict[str, Any], consistent: bool) -> None:
    parts = 2 if objective["name"] == "mixit" else 1
    mixing = {"parts": parts, "sources": {(2 if parts == 1 else 1): 1.0}}
    list(train(separator_config(steps=2, objective=objective, mixing=mixing), Path("run")))
    report = sepcli.separate(EXAMPLE, [], model="run", progress=False)
    assert report.exit_code == 0
    stems = sorted(path.name for path in Path("separated").iterdir())
    assert stems == [f"dog_and_rain.output{n + 1}.flac" for n in range(objective["outputs"])]
    assert load(Registry().find("run")).network.consistent is consistent


def test_a_run_goes_on_from_the_weights_it_starts_from() -> None:
    list(train(separator_config(steps=2), Path("run")))
    state = torch.load("run/checkpoint.pt", weights_only=True)["average"]
    config = separator_config(steps=1, start="run", lr=1e-12, loop={"weight_decay": 0.0})
    list(train(config, Path("more")))
    begun = torch.load("more/checkpoint.pt", weights_only=True)["module"]
    weights = [k for k, v in state.items() if k.endswith("weight") and v.ndim > 1]
    assert weights
    for key in weights:
        torch.testing.assert_close(begun[key], state[key], atol=1e-9, rtol=1e-6)


def test_what_a_run_cannot_start_from() -> None:
    with pytest.raises(UsageError, match=r"cannot start from .*nowhere"):
        list(train(separator_config(start="nowhere"), Path("run")))
    list(train(separator_config(steps=1), Path("small")))
    wide = TINY | {"widths": [6, 6, 8, 8]}
    with pytest.raises(UsageError, match="another architecture"):
        list(train(separator_config(start="small", network=wide), Path("run")))


def test_a_run_goes_on_from_the_shipped_model() -> None:
    shipped = load(Registry().find("everyday"))
    arguments = shipped.model.entry.arguments
    network = {"name": "band-unet", "widths": arguments["widths"], "hidden": arguments["hidden"]}
    config = separator_config(
        steps=1, batch=2, start="model:everyday", network=network, lr=1e-12, presence_steps=1
    )
    list(train(config, Path("run")))
    mine = load(Registry().find("run")).network.state_dict()
    theirs = shipped.network.state_dict()
    for key in ("query.0.weight", "merge.weight", "context.rnn.weight_hh_l0"):
        torch.testing.assert_close(mine[key], theirs[key], atol=1e-6, rtol=1e-3)


def test_a_separator_needs_a_clap() -> None:
    with pytest.raises(UsageError, match="no finished CLAP"):
        list(train(separator_config(clap="nowhere"), Path("run")))
    list(train(separator_config(steps=1), Path("separator")))
    with pytest.raises(UsageError, match="kind separator"):
        list(train(separator_config(clap="separator"), Path("run")))


def test_the_teacher_knows_synonyms() -> None:
    teacher = distil.Teacher(WordPieces(SHIPPED / "tokenizer.json"))
    seen = teacher(["dog barking", "a hound that barks", "heavy rain"])
    assert seen.shape == (3, 384)
    np.testing.assert_allclose(np.linalg.norm(seen, axis=1), 1, rtol=1e-5)
    assert seen[0] @ seen[1] > seen[0] @ seen[2] + 0.2


def test_a_head_start_places_words_where_the_teacher_does() -> None:
    from sepcli.nets.clap import TextTower

    tower = TextTower(10, width=4, embedding=6)
    ids = torch.tensor([[3, 0], [4, 5]])
    targets = torch.nn.functional.normalize(torch.randn(2, 6), dim=1)
    distil.head_start(tower, ids, targets)
    torch.testing.assert_close(tower.table.weight[3], 2 * targets[0, :4])
