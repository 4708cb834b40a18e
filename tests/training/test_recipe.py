"""Trainings on a few real clips: they learn, resume exactly, and leave a model that works."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

import sepcli
from sepcli.cli.main import main
from sepcli.errors import UsageError
from sepcli.query.tokens import WordPieces
from sepcli.training import distil
from sepcli.training.config import SeparatorConfig, load_config
from sepcli.training.recipe import train
from sepcli.training.separator import first_network

DATA = Path(__file__).parents[1] / "data"
SHIPPED = Path(sepcli.__file__).parent / "shipped"
CORPUS = [{"kind": "esc10", "root": str(DATA / "esc10")}]


@pytest.fixture(autouse=True)
def quick_lesson(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few hundred words are enough here; the teacher itself is real."""

    def few(vocabulary: list[str], phrases: list[str], *_: object) -> list[str]:
        return [*phrases, *vocabulary[2000:2300]]

    monkeypatch.setattr(distil, "study_texts", few)


def write_config(name: str, **values: object) -> Path:
    Path("labels.csv").write_text("index,mid,display_name\n0,/m/0,Speech\n1,/m/1,Bark\n")
    common = {
        "corpora": CORPUS,
        "batch": 4,
        "seconds": 0.64,
        "lr": 1e-3,
        "save_every": 5,
        "threads": 1,
    }
    Path(name).write_text(yaml.safe_dump({**common, **values}))
    return Path(name)


def run_clap(out: Path) -> list[dict[str, float]]:
    config = write_config(
        "clap.yaml",
        kind="clap",
        tokenizer=str(SHIPPED / "tokenizer.json"),
        label_list="labels.csv",
        distil_steps=60,
        distil_batch=64,
        steps=5,
    )
    return list(train(load_config(config), out))


def separator_config(**values: object) -> Path:
    return write_config(
        "separator.yaml",
        kind="separator",
        clap="clap",
        widths=[4, 6, 8, 8],
        hidden=8,
        presence_steps=3,
        **values,
    )


def first(steps: Iterator[dict[str, float]], count: int) -> None:
    for _ in range(count):
        next(steps)


def test_from_clips_to_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = run_clap(Path("clap"))
    distilled = [f["distil"] for f in figures if "distil" in f]
    assert np.mean(distilled[-10:]) < 0.7 * np.mean(distilled[:3])
    assert "accuracy_all" in figures[-1]

    config = load_config(separator_config(steps=10))
    losses = [f["loss"] for f in train(config, Path("run")) if "loss" in f]
    assert len(losses) == 10
    assert Path("run/presence.pt").exists()
    log = [json.loads(line) for line in Path("run/log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log] == [5, 10, 3]
    assert all("val_snr" in line for line in log[:2])
    assert "presence_auc" in log[2]

    mix = Path(__file__).parents[2] / "examples/audio/dog_and_rain.flac"
    report = sepcli.separate(mix, "dog barking", model="run", progress=False)
    assert report.exit_code == 0
    assert Path("separated/dog_and_rain.dog-barking.flac").exists()

    # A run that was cut off between two checkpoints ends with the same weights.
    steps = train(config, Path("cut"))
    first(steps, 7)
    steps.close()
    assert len([f for f in train(config, Path("cut")) if "loss" in f]) == 5
    states = [torch.load(f"{name}/checkpoint.pt", weights_only=True) for name in ("run", "cut")]
    for key, value in states[0]["net"].items():
        assert torch.equal(value, states[1]["net"][key]), key
    for key, value in states[0]["average"].items():
        assert torch.equal(value, states[1]["average"][key]), key


def test_a_small_separator_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    run_clap(Path("clap"))
    config = load_config(separator_config(steps=60, save_every=1000, lr=5e-3))
    losses = [f["loss"] for f in train(config, Path("run")) if "loss" in f]
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.3


def test_the_command_trains_and_refuses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(*words: str) -> int:
        monkeypatch.setattr("sys.argv", ["sepcli", "train", *words])
        with pytest.raises(SystemExit) as caught:
            main()
        return int(caught.value.code or 0)

    config = str(separator_config(steps=2))
    assert command(config, "--out", "run") == 2
    assert "no finished CLAP" in capsys.readouterr().err
    run_clap(Path("clap"))
    assert command(config, "--out", "run") == 0
    assert Path("run/model.yaml").exists()

    assert "freesound.org 100032" in Path("run/CREDITS.md").read_text()
    more = str(separator_config(steps=1, start="run"))
    assert command(more, "--out", "more") == 0
    nowhere = str(separator_config(steps=1, start="nowhere"))
    assert command(nowhere, "--out", "lost") == 2
    assert "cannot start from nowhere" in capsys.readouterr().err


def test_a_run_goes_on_from_the_weights_it_starts_from() -> None:
    run_clap(Path("clap"))
    list(train(load_config(separator_config(steps=2)), Path("run")))
    config = load_config(separator_config(steps=1, start="run"))
    assert isinstance(config, SeparatorConfig)
    state = torch.load("run/checkpoint.pt", weights_only=True)["average"]
    for key, value in first_network(config).state_dict().items():
        if not key.startswith("presence."):
            assert torch.equal(value, state[key]), key


def test_a_separator_needs_its_clap() -> None:
    config = load_config(separator_config(steps=1))
    with pytest.raises(UsageError, match="no finished CLAP"):
        next(train(config, Path("run")))


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
