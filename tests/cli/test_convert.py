"""`sepcli models convert`: codes, lines, JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from published_layouts import SMALL, State, bimodal_content, formula_state

from sepcli.registry.convert.expected import network_shapes
from sepcli.registry.store import Registry, read_model_folder

Sepcli = Callable[..., int]
Output = pytest.CaptureFixture[str]

pytestmark = pytest.mark.usefixtures("nothing_published")


class Payload:
    """A pickle that writes a file."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("touch was-run",)


@pytest.fixture(scope="module")
def state() -> State:
    return formula_state(network_shapes("bimodal-unet", SMALL))


@pytest.fixture
def source(state: State) -> Path:
    torch.save(bimodal_content(state, {}), "model_best.pth.tar")
    return Path("model_best.pth.tar")


def test_sizes_and_what_was_dropped_are_printed(
    sepcli: Sepcli, source: Path, state: State, capsys: Output
) -> None:
    assert sepcli("models", "convert", source, "-o", "made") == 0
    lines = capsys.readouterr().out.splitlines()
    before, after = (
        path.stat().st_size / 1e6 for path in (source, Path("made/separator.safetensors"))
    )
    assert lines == [
        f"made/separator.safetensors: bimodal, {len(state)} tensors, "
        f"{before:.1f} MB -> {after:.1f} MB",
        "  dropped 4: records of training",
        "  dropped 1: counts of training batches",
        "  dropped 4: STFT and mel kernels",
        "missing, the clap: made/clap.safetensors",
        "missing, the tokenizer: made/tokenizer.json",
    ]
    assert read_model_folder(Path("made")).entry.architecture == "bimodal-unet"


def test_json(sepcli: Sepcli, source: Path, state: State, capsys: Output) -> None:
    assert sepcli("models", "convert", source, "--kind", "bimodal", "-o", "m", "--json") == 0
    row = json.loads(capsys.readouterr().out)
    assert row["missing"] == {"clap": "clap.safetensors", "tokenizer": "tokenizer.json"}
    assert row["to_pull"] == []
    separator = row["conversions"]["separator"]
    assert separator["size_before"] == source.stat().st_size
    assert separator["size_after"] == Path("m/separator.safetensors").stat().st_size
    assert separator["dropped"]["records of training"] == 4
    assert (separator["kind"], separator["kept"]) == ("bimodal", len(state))


def test_what_can_be_pulled_is_named(
    sepcli: Sepcli, source: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {role: f"{{source: 'https://example.org/{role}'}}" for role in ("clap", "tokenizer")}
    Path("registry.yaml").write_text(
        "version: 1\nmodels:\n  known:\n    summary: x\n    architecture: bimodal-unet\n"
        "    query: {encoder: laion-clap-tokens}\n    training_data: x\n"
        "    licence: {code: MIT, weights: MIT}\n    files: {separator: {source: x}, "
        + ", ".join(f"{role}: {file}" for role, file in files.items())
        + "}\n"
    )
    monkeypatch.setenv("SEPCLI_REGISTRY", "registry.yaml")
    assert sepcli("models", "convert", source, "-o", "made") == 0
    assert "to come, clap, tokenizer: sepcli models pull made" in capsys.readouterr().out
    assert sepcli("models", "convert", source, "-o", "made", "--replace", "--name", "mine") == 0
    assert Registry().find("mine").entry.files["clap"].remote


def test_a_hostile_file_is_one_line_and_code_3(sepcli: Sepcli, capsys: Output) -> None:
    torch.save({"state_dict": {"a": torch.ones(1)}, "epoch": Payload()}, "model.ckpt")
    assert sepcli("models", "convert", "model.ckpt", "-o", "made") == 3
    errors = capsys.readouterr().err.splitlines()
    assert errors[0] == (
        "error: model.ckpt is refused: it asks for posix.system; nothing in it was run"
    )
    assert len(errors) == 2
    assert not Path("was-run").exists()
    assert not Path("made").exists()


def test_codes(sepcli: Sepcli, source: Path, state: State) -> None:
    assert sepcli("models", "convert", "nowhere.ckpt", "-o", "made") == 2
    assert sepcli("models", "convert", source, "-o", "made", "--kind", "flowsep") == 2
    Path("file").touch()
    assert sepcli("models", "convert", source, "-o", "file/made") == 5
    assert sepcli("models", "convert", source, "-o", "made", "--name", "mine") == 3
    state = {key: value for key, value in state.items() if key != "net_clap.fc.bias"}
    torch.save(state, "lacks.pt")
    assert sepcli("models", "convert", "lacks.pt", "-o", "other") == 3
