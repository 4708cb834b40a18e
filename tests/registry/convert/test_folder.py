"""Model folders made of published checkpoints."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from published_layouts import SMALL, State, bimodal_content, laion_content
from safetensors.torch import load_file

from sepcli.errors import ModelError, UsageError
from sepcli.registry.convert.folder import FolderOptions, Imported, enter, make_folder
from sepcli.registry.load import load
from sepcli.registry.schema import check
from sepcli.registry.store import Registry, read_model_folder

Saved = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("nothing_published")


@pytest.fixture
def source(saved: Saved, small_bimodal: State, small_clap: State) -> Path:
    return saved(bimodal_content(small_bimodal, small_clap), "model_best.pth.tar")


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    """RoBERTa's two files, with next to no words."""
    words = ["<s>", "<pad>", "</s>", "<unk>", "d", "o", "g", "do", "dog", "<mask>"]
    folder = tmp_path / "roberta"
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({word: at for at, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\nd o\ndo g\n")
    return folder / "vocab.json"


def make(source: Path, **options: object) -> Imported:
    return make_folder(FolderOptions(source, Path("made"), **options))  # type: ignore[arg-type]


def test_a_whole_model(source: Path, tokenizer: Path, small_clap: State) -> None:
    made = make(source, clap=source, tokenizer=tokenizer)
    assert (made.to_pull, made.missing) == ([], {})
    model = read_model_folder(Path("made"))
    assert model.entry.arguments == SMALL
    assert (model.entry.sample_rate, model.entry.channels) == (16_000, 1)
    assert model.entry.query is not None
    assert model.entry.query.encoder == "laion-clap-tokens"
    assert load_file(model.path("clap")).keys() == small_clap.keys()
    assert '"dog"' in model.path("tokenizer").read_text()
    stems, presence = load(model).network(
        torch.zeros(1, 1, 4096), torch.ones(2, 3 * 768 + 512), 16_000
    )
    assert stems.shape == (1, 2, 1, 4096)
    assert presence is None


def test_files_are_entered_with_size_and_hash(source: Path, tokenizer: Path) -> None:
    make(source, clap=source, tokenizer=tokenizer)
    for file in read_model_folder(Path("made")).entry.files.values():
        content = (Path("made") / file.source).read_bytes()
        assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())


def test_what_is_not_given_is_missing(source: Path) -> None:
    made = make(source)
    assert made.missing == {"clap": "clap.safetensors", "tokenizer": "tokenizer.json"}
    with pytest.raises(ModelError, match=r"its clap file is missing: .*made/clap\.safetensors"):
        load(read_model_folder(Path("made")))
    with pytest.raises(ModelError, match=r"no whole model yet, it lacks clap\.safetensors, tok"):
        enter(made, "mine", replace=False)


def test_what_a_registry_can_download_is_taken_from_there(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clap = {"source": "https://example.org/clap.pt", "convert": "laion-clap", "size": 9}
    rest = {role: {"source": role} for role in ("separator", "tokenizer")}
    entry = {
        "summary": "x",
        "architecture": "bimodal-unet",
        "query": {"encoder": "laion-clap-tokens"},
        "files": {"clap": clap, **rest},
        "licence": {"code": "MIT", "weights": "MIT"},
        "training_data": "x",
    }
    other = {
        **entry,
        "query": {"encoder": "small-clap"},
        "files": {**rest, "clap": rest["tokenizer"]},
    }
    Path("registry.yaml").write_text(
        yaml.safe_dump({"version": 1, "models": {"a": other, "b": entry}})
    )
    monkeypatch.setenv("SEPCLI_REGISTRY", "registry.yaml")
    made = make(source)
    assert made.to_pull == ["clap"]
    assert list(made.missing) == ["tokenizer"]
    file = read_model_folder(Path("made")).entry.files["clap"]
    assert (file.source, file.convert, file.size) == (
        "https://example.org/clap.pt",
        "laion-clap",
        9,
    )


def test_the_entry_is_whole_and_short(source: Path) -> None:
    make(source, half=True)
    text = (Path("made") / "model.yaml").read_text()
    check({"version": 1, "models": {"m": yaml.safe_load(text)}}, "model.yaml")
    assert "null" not in text
    weights = load_file(Path("made") / "separator.safetensors")
    assert {value.dtype for value in weights.values()} == {torch.float16}


def test_the_card_says_where_weights_are_from(source: Path) -> None:
    make(source, clap=source)
    card = (Path("made") / "CARD.md").read_text()
    assert "were not made by this project" in card
    assert f"`{hashlib.sha256(source.read_bytes()).hexdigest()}`" in card
    assert "`model_best.pth.tar`" in card
    assert "- records of training: 4, such as `epoch`" in card
    assert "- frozen copy of CLAP: " in card
    assert "## clap: LAION-CLAP" in card
    assert "CC0-1.0" in card


def test_names_cannot_break_out_of_the_card(
    saved: Saved, small_bimodal: State, small_clap: State
) -> None:
    make(saved(bimodal_content(small_bimodal, small_clap), "a`|b\n# c.pt"))
    card = (Path("made") / "CARD.md").read_text()
    assert "`a??b?? c.pt`" in card


def test_an_encoder_by_itself(saved: Saved, small_clap: State) -> None:
    source = saved(laion_content(small_clap), "clap.pt")
    made = make(source)
    assert sorted(path.name for path in Path("made").iterdir()) == ["CARD.md", "clap.safetensors"]
    with pytest.raises(ModelError, match="it lacks a separator"):
        enter(made, "mine", replace=False)
    with pytest.raises(UsageError, match="is a CLAP itself"):
        make(source, clap=source)


def test_a_clap_that_was_there_stays(source: Path) -> None:
    make(source, clap=source)
    with pytest.raises(UsageError, match="is a model already"):
        make(source)
    made = make(source, replace=True, half=True)
    assert list(made.missing) == ["tokenizer"]


def test_entering_it(source: Path, tokenizer: Path) -> None:
    made = make(source, clap=source, tokenizer=tokenizer)
    enter(made, "mine", replace=False)
    assert Registry().find("mine").path("separator").is_file()
    with pytest.raises(UsageError, match="there already"):
        enter(made, "mine", replace=False)
    enter(made, "mine", replace=True)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"clap": Path("nowhere.pt")}, UsageError, r"no file nowhere\.pt"),
        ({"kind": "audiosap"}, UsageError, r"did you mean audiosep\?"),
        ({"kind": "audiosep"}, ModelError, "no checkpoint of AudioSep"),
        ({"tokenizer": Path("nowhere.json")}, ModelError, "no tokenizer"),
    ],
)
def test_nothing_is_made_if_something_is_wrong(
    options: dict[str, object], error: type[Exception], message: str, source: Path
) -> None:
    with pytest.raises(error, match=message):
        make(source, **options)
    assert not Path("made").exists()


def test_a_clap_that_does_not_fit_leaves_no_model(source: Path, saved: Saved) -> None:
    wrong = saved({"a": torch.ones(1)}, "wrong.pt")
    with pytest.raises(ModelError, match=r"wrong\.pt is no checkpoint of LAION-CLAP"):
        make(source, clap=wrong)
    assert not (Path("made") / "model.yaml").exists()


def test_a_source_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"no file nowhere\.pt"):
        make(Path("nowhere.pt"))
