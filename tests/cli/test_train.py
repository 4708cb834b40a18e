"""`sepcli train`: what it leaves behind, how it goes on, and what it says of bad input."""

from __future__ import annotations

import errno
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import yaml

from sepcli.training.load_config import load_config
from sepcli.training.loop.folder import RunFolder
from sepcli.training.recipe import train

EXAMPLES = Path(__file__).parents[2] / "examples"
MINI = EXAMPLES / "train_mini.yaml"
CLIPS = EXAMPLES / "corpus/mini"
QUICK = (
    *("steps=4", "batch=2", "seconds=0.64", "network.widths=[4,6,8,8]", "network.hidden=8"),
    *("start=null", "presence_steps=2", "threads=1", "loop.save_every=2"),
)

Sepcli = Callable[..., int]
Captured = pytest.CaptureFixture[str]


def words(*overrides: str, config: Path = MINI) -> list[str]:
    """A quick training's command line."""
    return ["train", str(config), *(f"-o{text}" for text in (*QUICK, *overrides))]


def rows(**changes: object) -> list[dict[str, object]]:
    """The mini corpus's manifest, with absolute paths."""
    lines = (CLIPS / "mini.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return [{**row, "path": str(CLIPS / row["path"]), **changes} for row in found]


def listed(clips: list[dict[str, object]]) -> str:
    """An override that puts other clips in the place of the corpus."""
    path = Path("clips.jsonl").absolute()
    path.write_text("".join(json.dumps(clip) + "\n" for clip in clips))
    return f"corpora=[{{kind: manifest, root: {path}}}]"


def told(captured: str) -> tuple[str, str]:
    """The error and its remedy, which are all that is said after notes on progress."""
    error, remedy = captured.splitlines()[-2:]
    assert error.startswith("error: ")
    assert remedy.startswith("help: ")
    return error, remedy


def average(run: Path | str) -> dict[str, torch.Tensor]:
    state = torch.load(f"{run}/checkpoint.pt", weights_only=True)["average"]
    assert isinstance(state, dict)
    return state


def equal(run: Path | str, other: Path | str) -> bool:
    there = average(other)
    return all(torch.equal(there[key], value) for key, value in average(run).items())


@pytest.fixture(autouse=True)
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Curves take longer to draw than these runs to train; `sepcli train plot` draws them."""
    monkeypatch.setattr(RunFolder, "plot", lambda *_, **__: None)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an unbroken quick run."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEPCLI_HOME", str(folder / "home"))
        patch.setattr(RunFolder, "plot", lambda *_, **__: None)
        for _ in train(load_config(MINI, QUICK), folder / "run"):
            pass
    return folder / "run"


@pytest.fixture
def run(whole: Path) -> Path:
    """A copy of that folder."""
    shutil.copytree(whole, "run")
    return Path("run")


# --- words -----------------------------------------------------------------------------------


def test_the_options_are_frozen(sepcli: Sepcli, capsys: Captured) -> None:
    assert sepcli("train", "--help") == 0
    text = capsys.readouterr().out
    assert text.startswith("Usage: ")
    assert re.search(r" train \[OPTIONS\] \{?CONFIG", text)
    assert set(re.findall(r"--[a-z][a-z-]+", text.split("Options:")[1])) == {
        *("--override", "--out", "--resume", "--dry-run", "--device", "--progress", "--help"),
    }
    commands = text.split("Commands:")[1]
    assert "validate" in commands
    assert "plot" in commands


def test_options_may_stand_before_the_config(sepcli: Sepcli, capsys: Captured) -> None:
    assert sepcli("train", "--dry-run", str(MINI)) == 0
    assert "60" not in capsys.readouterr().err
    assert sepcli("train", str(MINI), "--nonsense") == 2
    assert "train [OPTIONS]" in capsys.readouterr().err
    assert sepcli("train") == 2


def test_validate_tells_all_errors_in_one_line(sepcli: Sepcli, capsys: Captured) -> None:
    assert sepcli("train", "validate", str(MINI)) == 0
    assert capsys.readouterr().out == f"{MINI}: a valid config\n"
    assert sepcli("train", "validate", str(MINI), "-o", "stps=3", "-o", "loop.ema=2") == 2
    error, remedy = told(capsys.readouterr().err)
    assert "stps: unknown key (did you mean steps?)" in error
    assert "loop.ema: Input should be less than 1, not 2" in error
    assert "examples/" in remedy


def test_validate_needs_no_data(sepcli: Sepcli) -> None:
    Path("c.yaml").write_text(
        yaml.safe_dump({**yaml.safe_load(MINI.read_text()), "clap": "nowhere"})
    )
    assert sepcli("train", "validate", "c.yaml", "-o", "corpora.0.root=/nowhere") == 0


def test_a_dry_run_says_what_would_be_trained(sepcli: Sepcli, capsys: Captured) -> None:
    assert sepcli(*words(), "--dry-run") == 0
    text = capsys.readouterr().out
    assert "train: 50 clips, 0.07 h" in text
    assert "validation: 10 clips, 0.01 h" in text
    assert "labels: 10: baby_cry 6, chainsaw 6" in text
    assert "licences: 2: CC0 50, CC-BY 10" in text
    assert "steps: 4, each of 2 mixtures of 0.64 s" in text
    assert re.search(r"a separator \(band-unet, supervised\), 0\.\d\d million parameters", text)
    assert not list(Path().iterdir())


# --- a run -----------------------------------------------------------------------------------


def test_a_killed_run_ends_like_an_unbroken_one(
    whole: Path, sepcli: Sepcli, capsys: Captured
) -> None:
    command = [sys.executable, "-m", "sepcli", *words(), "--progress", "json"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if json.loads(line).get("step") == 3:
                process.send_signal(signal.SIGKILL)
    folder = Path("runs/train_mini")
    assert torch.load(folder / "checkpoint.pt", weights_only=True)["step"] == 2
    assert not (folder / "model.yaml").exists()
    assert sepcli(*words(), "--resume") == 0
    assert capsys.readouterr().out == f"{folder}\n"
    assert equal(folder, whole)
    for name in ("config.json", "environment.json", "log.jsonl", "model.yaml", "CARD.md"):
        assert (folder / name).is_file(), name


def test_a_run_is_a_model(run: Path, sepcli: Sepcli, capsys: Captured) -> None:
    mixture = EXAMPLES / "audio/dog_and_rain.flac"
    assert sepcli("separate", mixture, "-q", "dog barking", "--model", run) == 0
    assert sepcli("models", "add", run) == 0
    assert sepcli("train", "plot", run) == 0
    drawn = Path(capsys.readouterr().out.splitlines()[-1])
    assert drawn.parent == run
    assert drawn.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("regime", ["weak", "semi", "mixit"])
def test_the_other_regimes_train_on_the_mini_corpus(regime: str, sepcli: Sepcli) -> None:
    config = EXAMPLES / f"train_{regime}.yaml"
    assert sepcli(*words("steps=2", config=config), "--out", regime) == 0
    lines = [json.loads(line) for line in Path(regime, "log.jsonl").read_text().splitlines()]
    assert all(np.isfinite(line["loss"]) for line in lines if "loss" in line)
    assert {"model.safetensors", "CARD.md"} <= {path.name for path in Path(regime).iterdir()}


def test_a_run_is_not_overwritten(run: Path, sepcli: Sepcli, capsys: Captured) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.iterdir()}
    assert sepcli(*words(), "--out", run) == 2
    error, remedy = told(capsys.readouterr().err)
    assert "run holds a run already" in error
    assert "--resume" in remedy
    changed = words("lr=1e-4", "loop.ema=0.5", "loop.keep=2")
    assert sepcli(*changed, "--out", run, "--resume") == 2
    error, _ = told(capsys.readouterr().err)
    assert error.endswith("begun with another config: loop.ema, lr")
    assert before == {path: path.stat().st_mtime_ns for path in run.iterdir()}


def test_what_may_change_when_a_run_goes_on(run: Path, whole: Path, sepcli: Sepcli) -> None:
    free = ("loop.keep=2", "loop.save_every=3", "loop.workers=1", "memory_gib=1", "threads=2")
    assert sepcli(*words(*free), "--out", run, "--resume") == 0
    assert equal(run, whole)


def test_only_the_first_process_speaks(
    sepcli: Sepcli, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    assert sepcli(*words("stps=3")) == 2
    assert capsys.readouterr().err == ""
    assert sepcli(*words("clap=model:everday")) == 3
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("RANK", "0")
    assert sepcli(*words("stps=3")) == 2
    assert "stps" in capsys.readouterr().err


# --- bad input -------------------------------------------------------------------------------


def test_folders_that_are_no_runs_are_left_alone(sepcli: Sepcli, capsys: Captured) -> None:
    Path("photos").mkdir()
    Path("photos/one.jpg").write_text("x")
    assert sepcli(*words(), "--out", "photos") == 2
    assert "holds files, but no run" in told(capsys.readouterr().err)[0]
    assert sepcli(*words(), "--out", "photos/one.jpg") == 2
    assert "is a file" in told(capsys.readouterr().err)[0]
    assert sepcli("train", "plot", "photos") == 2
    assert "not the folder of a run" in told(capsys.readouterr().err)[0]


def test_an_unreadable_config(sepcli: Sepcli, capsys: Captured) -> None:
    assert sepcli("train", "nowhere.yaml") == 2
    assert "cannot read nowhere.yaml" in told(capsys.readouterr().err)[0]
    Path("broken.yaml").write_text("kind: [")
    assert sepcli("train", "broken.yaml") == 2
    assert "not valid YAML" in told(capsys.readouterr().err)[0]


def test_missing_broken_and_silent_clips(sepcli: Sepcli, capsys: Captured) -> None:
    clips = rows()
    shutil.copy(str(clips[0]["path"]), "cut.ogg")
    Path("cut.ogg").write_bytes(Path("cut.ogg").read_bytes()[:100])
    soundfile.write("silent.wav", np.zeros(32_000), 32_000)
    for clip, path in zip(clips, ("gone.ogg", "cut.ogg", "silent.wav"), strict=False):
        clip["path"] = str(Path(path).absolute())
        clip.pop("duration", None)
    assert sepcli(*words(listed(clips))) == 2
    error, remedy = told(capsys.readouterr().err)
    assert "3 of 60 clips cannot be used (1 broken, 1 missing, 1 silent)" in error
    assert "sepcli data prepare" in remedy
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        ([], "clips.jsonl"),
        ([row for row in rows() if row["labels"] == ["dog"]], "nothing to mix"),
        (rows(split="train"), "no clips to validate on"),
        (rows(ship=False), "licences: shippable leaves none of 60 clips"),
        (rows(splt="train"), "line 1: splt: unknown key (did you mean split?)"),
        ([{**row, "origin": "184575"} for row in rows()][:2] + rows()[2:], "belong to a test"),
    ],
    ids=["empty", "one class", "no validation", "licences", "manifest", "test item"],
)
def test_corpora_that_cannot_be_trained_on(
    clips: list[dict[str, object]], message: str, sepcli: Sepcli, capsys: Captured
) -> None:
    assert sepcli(*words(listed(clips))) == 2
    assert message in told(capsys.readouterr().err)[0]


def test_a_clap_that_is_not_there(sepcli: Sepcli, capsys: Captured) -> None:
    assert sepcli(*words("clap=model:everday")) == 3
    assert "did you mean everyday?" in told(capsys.readouterr().err)[0]
    assert sepcli(*words("clap=/nowhere")) == 2
    assert "no finished CLAP in /nowhere" in told(capsys.readouterr().err)[0]


def test_a_checkpoint_of_another_architecture(run: Path, sepcli: Sepcli, capsys: Captured) -> None:
    assert sepcli(*words("network.hidden=12", f"start={run.absolute()}"), "--out", "large") == 2
    assert "of another architecture" in told(capsys.readouterr().err)[0]


def test_a_full_disk_leaves_the_last_checkpoint(
    run: Path, whole: Path, sepcli: Sepcli, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, "steps": 6}))

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    assert sepcli(*words("steps=6"), "--out", run, "--resume") == 5
    error, remedy = told(capsys.readouterr().err)
    assert "No space left on device" in error
    assert "free some space" in remedy
    assert equal(run, whole)
    assert not list(run.glob(".sepcli-partial-*"))
