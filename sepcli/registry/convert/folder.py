"""A published checkpoint as a model folder, which `sepcli separate --model FOLDER` can use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sepcli.errors import ModelError, UsageError
from sepcli.hashing import sha256_of
from sepcli.query.laion_tokens import RobertaTokens, read_tokenizer
from sepcli.registry.convert.card import card
from sepcli.registry.convert.conversion import (
    CONVERTERS,
    ConversionReport,
    convert_file,
    converter_of,
    guess_kind,
)
from sepcli.registry.convert.converter import Converter, Network
from sepcli.registry.convert.write import write_bytes
from sepcli.registry.schema import ModelEntry, ModelFile, QuerySupport
from sepcli.registry.store import MODEL_FILE, Registry, add_model

FILES = {  # role -> name in the folder
    "separator": "separator.safetensors",
    "clap": "clap.safetensors",
    "tokenizer": "tokenizer.json",
}
CARD = "CARD.md"
MOST_TOKENS = 77  # any number would do for the check


@dataclass(frozen=True)
class FolderOptions:
    """What is made of what.

    Attributes:
        source: the checkpoint.
        folder: where the model goes; created.
        kind: in CONVERTERS; None to tell it by the keys.
        half: write float16.
        clap: a LAION-CLAP checkpoint; one that carries a copy of CLAP, such as the source, will do.
        tokenizer: RoBERTa's tokenizer.json, or vocab.json beside merges.txt.
        replace: write over a model that is there.
    """

    source: Path
    folder: Path
    kind: str | None = None
    half: bool = False
    clap: Path | None = None
    tokenizer: Path | None = None
    replace: bool = False


@dataclass(frozen=True)
class Imported:
    """What was made.

    Attributes:
        folder: the model.
        conversions: by role.
        to_pull: roles whose files `sepcli models pull FOLDER` fetches.
        missing: roles whose files must still be put into the folder -> their names there.
    """

    folder: Path
    conversions: dict[str, ConversionReport]
    to_pull: list[str]
    missing: dict[str, str]


def make_folder(options: FolderOptions) -> Imported:
    """Convert a checkpoint, and its encoder's if given, and describe them in model.yaml.

    An encoder by itself becomes a folder with `clap.safetensors` and no model.yaml.

    Raises:
        UsageError: if the folder is a model already, or options do not go together.
        ModelError: if a file is refused or does not fit.
        OutputError: if the folder cannot be written.
    """
    check(options)
    kind = options.kind or guess_kind(options.source)
    converter = converter_of(kind)
    role = "separator" if converter.network else "clap"
    if role == "clap" and options.clap is not None:
        raise UsageError(f"{options.source.name} is a CLAP itself", "leave --clap out")
    if options.clap is not None and converter.network and not converter.network.takes_clap:
        raise UsageError(f"{converter.title} needs no CLAP", "leave --clap out")
    conversions = {role: _convert(kind, options.source, role, options)}
    if options.clap is not None:
        conversions["clap"] = _convert("laion-clap", options.clap, "clap", options)
    if options.tokenizer is not None:
        text: str = read_tokenizer(options.tokenizer).to_str()
        write_bytes(options.folder / FILES["tokenizer"], text.encode())
    write_bytes(options.folder / CARD, card(conversions, CONVERTERS).encode())
    if converter.network is None:
        return Imported(options.folder, conversions, [], {})
    entry = describe(converter, converter.network, conversions[role].arguments, options.folder)
    write_bytes(options.folder / MODEL_FILE, _as_yaml(entry))  # last: now it is a model
    away = {role: file for role, file in entry.files.items() if file.sha256 is None or file.remote}
    to_pull = [role for role, file in away.items() if file.remote]
    missing = {role: file.source for role, file in away.items() if not file.remote}
    return Imported(options.folder, conversions, to_pull, missing)


def enter(model: Imported, name: str, replace: bool) -> None:
    """Enter a model that was made into the user's registry.

    Raises:
        UsageError: if the name is taken and `replace` is False, or impossible.
        ModelError: if files of it are missing.
    """
    if model.missing or not (model.folder / MODEL_FILE).exists():
        lacks = ", ".join(model.missing.values()) or "a separator"
        remedy = f"add it, then: sepcli models add {model.folder} --name {name}"
        raise ModelError(f"{model.folder} is no whole model yet, it lacks {lacks}", remedy)
    add_model(model.folder, name, replace)


def check(options: FolderOptions) -> None:
    """Refuse what can be refused before anything is converted."""
    if (options.folder / MODEL_FILE).exists() and not options.replace:
        raise UsageError(f"{options.folder} is a model already", "choose another -o, or --replace")
    for path in (options.source, options.clap):
        if path is not None and not path.is_file():
            raise UsageError(f"there is no file {path}", "check the path")
    if options.tokenizer is not None:
        RobertaTokens(options.tokenizer, MOST_TOKENS)


def describe(
    converter: Converter, network: Network, arguments: dict[str, Any], folder: Path
) -> ModelEntry:
    """The registry entry of a folder's model."""
    facts = network.entry(arguments)
    query = QuerySupport.model_validate(facts["query"]) if "query" in facts else None
    encoder, roles = (query.encoder, query.roles) if query else ("", ())
    return ModelEntry.model_validate(
        {
            **facts,
            "architecture": network.architecture,
            "arguments": arguments,
            "files": {role: _file(role, folder, encoder) for role in ("separator", *roles)},
            "licence": {"code": "Apache-2.0", "weights": converter.licence},
            "training_data": "see the publisher of the checkpoint",
        }
    )


def _convert(kind: str, source: Path, role: str, options: FolderOptions) -> ConversionReport:
    return convert_file(kind, source, options.folder / FILES[role], options.half)


def _file(role: str, folder: Path, encoder: str) -> ModelFile:
    """A file that is in the folder, or that can be downloaded, or that is to be put there."""
    path = folder / FILES[role]
    if path.is_file():
        return ModelFile(source=path.name, sha256=sha256_of(path), size=path.stat().st_size)
    for model in Registry().models.values():
        query, file = model.entry.query, model.entry.files.get(role)
        if query is not None and query.encoder == encoder and file is not None and file.remote:
            return file
    return ModelFile(source=path.name)


def _as_yaml(entry: ModelEntry) -> bytes:
    data = entry.model_dump(exclude_none=True, exclude_defaults=True)
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True).encode()
