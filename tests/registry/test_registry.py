"""Registries: what they hold, which counts, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file

from sepcli.errors import ModelError, UsageError
from sepcli.registry import load as loading
from sepcli.registry.schema import check
from sepcli.registry.store import (
    Registry,
    add_model,
    read_model_folder,
    remove_model,
    user_registry,
)
from sepcli.yaml_file import parse_yaml, read_yaml

Linear = Callable[..., Path]

ENTRY = {
    "summary": "a model",
    "architecture": "band-unet",
    "query": {"encoder": "small-clap"},
    "files": {role: {"source": role} for role in ("separator", "clap", "tokenizer")},
    "licence": {"code": "Apache-2.0", "weights": "CC0-1.0"},
    "training_data": "none",
}


def registry_text(path: Path, **models: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"version": 1, "models": models}))
    return path


def test_later_registries_count(monkeypatch: pytest.MonkeyPatch) -> None:
    registry_text(user_registry(), mine={**ENTRY, "summary": "user"})
    assert Registry().find("mine").entry.summary == "user"
    extra = registry_text(Path("extra.yaml"), mine={**ENTRY, "summary": "extra"})
    assert Registry(extra).find("mine").entry.summary == "extra"
    monkeypatch.setenv("SEPCLI_REGISTRY", str(extra))
    assert Registry().find("mine").entry.summary == "extra"


def test_a_registry_named_by_hand_must_exist() -> None:
    with pytest.raises(UsageError, match="cannot read"):
        Registry(Path("nowhere.yaml"))


def test_all_errors_at_once_with_suggestions() -> None:
    wrong = {**ENTRY, "sumary": "x", "stems": ["a"], "architecture": 3}
    missing = {key: value for key, value in ENTRY.items() if key != "licence"}
    data = {"version": 1, "models": {"one": wrong, "two": missing, "Bad Name": ENTRY}}
    with pytest.raises(UsageError) as caught:
        check(data, "weights.yaml")
    text = str(caught.value)
    assert "did you mean summary?" in text
    assert "architecture" in text
    assert "two.licence" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stems": ["a"]}, "either `query` or `stems`"),
        ({"query": None}, "either `query` or `stems`"),
        ({"files": {"separator": {"source": "x"}}}, "files lacks clap, tokenizer"),
        ({"windows": {"length": 1.0}}, "length must exceed"),
        ({"figures": {"sdri": float("nan")}}, "finite"),
        (
            {"files": {**ENTRY["files"], "clap": {"source": "x", "sha256": "12"}}},  # type: ignore[dict-item]
            "sha256",
        ),
    ],
)
def test_impossible_entries(change: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check({"version": 1, "models": {"one": {**ENTRY, **change}}}, "x")


def test_bad_names_are_refused() -> None:
    with pytest.raises(UsageError, match="no model name"):
        check({"version": 1, "models": {"../x": ENTRY}}, "x")


def test_unknown_models_get_a_suggestion() -> None:
    extra = registry_text(Path("extra.yaml"), everyday=ENTRY)
    with pytest.raises(ModelError, match=r"did you mean everyday\?"):
        Registry(extra).find("evryday")


def test_adding_and_removing(linear: Linear) -> None:
    folder = linear()
    add_model(folder, "mine", replace=False)
    model = Registry().find("mine")
    assert model.path("separator").parent == folder
    with pytest.raises(UsageError, match="there already"):
        add_model(folder, "mine", replace=False)
    add_model(folder, "mine", replace=True)
    with pytest.raises(UsageError, match="no model name"):
        add_model(folder, "no good", replace=False)
    remove_model("mine")
    with pytest.raises(ModelError):
        Registry().find("mine")
    with pytest.raises(ModelError, match="no model mine"):
        remove_model("mine")
    assert folder.exists()


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no model\.yaml"):
        read_model_folder(tmp_path)


def test_files_are_verified(linear: Linear) -> None:
    folder = linear()
    model = read_model_folder(folder)
    loading.load(model)
    files = {role: {"source": f.source} for role, f in model.entry.files.items()}
    for change, message in (
        ({"size": 1}, "bytes, not 1"),
        ({"sha256": "0" * 64}, "not the file"),
        ({"source": "gone"}, "file is missing"),
    ):
        files["separator"] = {"source": "gains.safetensors", **change}  # type: ignore[dict-item]
        with pytest.raises(ModelError, match=message):
            loading.load(read_model_folder(linear(files=files)))


def test_weights_must_fit(linear: Linear) -> None:
    folder = linear()
    for state in ({"gains": torch.zeros(3)}, {"other": torch.zeros(2)}):
        save_file(state, folder / "gains.safetensors")
        with pytest.raises(ModelError, match="cannot be loaded"):
            loading.load(read_model_folder(folder))
    (folder / "gains.safetensors").write_bytes(b"\xff" * 64)
    with pytest.raises(ModelError, match="cannot be loaded"):
        loading.load(read_model_folder(folder))


def test_unknown_architectures_get_a_suggestion(linear: Linear) -> None:
    folder = linear(architecture="band-unnet")
    with pytest.raises(ModelError, match=r"did you mean band-unet\?"):
        loading.load(read_model_folder(folder))


def test_the_fingerprint_follows_the_weights(linear: Linear) -> None:
    folder = linear()
    before = loading.load(read_model_folder(folder)).fingerprint
    assert loading.load(read_model_folder(folder)).fingerprint == before
    save_file({"gains": torch.tensor([0.1, 0.2])}, folder / "gains.safetensors")
    assert loading.load(read_model_folder(folder)).fingerprint != before


def test_rates(linear: Linear) -> None:
    free = loading.load(read_model_folder(linear()))
    assert [free.rate_for(rate) for rate in (8000, 48000, 11025, 4000)] == [
        8000,
        48000,
        44100,
        44100,
    ]
    fixed = loading.load(read_model_folder(linear(sample_rate=16000)))
    assert fixed.rate_for(48000) == 16000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "not valid YAML"),
        ("- 1", "not a mapping"),
        ("a: !!python/object/apply:os.system ['touch hacked']", "not valid YAML"),
        ("a: &a [x]\n" + "".join(f"b{i}: *a\n" for i in range(200)), "aliases"),
    ],
)
def test_yaml_from_strangers(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_yaml(text, "it")
    assert not Path("hacked").exists()


def test_huge_yaml_is_refused() -> None:
    Path("huge.yaml").write_text("a: " + "x" * 1_000_001)
    with pytest.raises(UsageError, match="larger than"):
        read_yaml(Path("huge.yaml"))
