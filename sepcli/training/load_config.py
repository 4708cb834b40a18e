"""Reading the config of a training run: a YAML file, and keys that a command line changes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from sepcli.errors import UsageError
from sepcli.sections import Section, problems, suggestion
from sepcli.training.config import ClapConfig, SeparatorConfig
from sepcli.training.corpora.readers import READERS
from sepcli.training.loop.folder import CONFIG
from sepcli.yaml_file import read_yaml

Config = ClapConfig | SeparatorConfig

KINDS: dict[str, type[Config]] = {"clap": ClapConfig, "separator": SeparatorConfig}
MODEL = "model:"  # how a `clap` begins that is the name of a registered model
CLIP = "clip:"  # and one that is a CLIP


def load_config(path: Path, overrides: Sequence[str] = ()) -> Config:
    """Read and check a config. Relative paths in it start from the config's folder.

    Args:
        path: a YAML file.
        overrides: `key=value`, with dots in the keys of sections and values as YAML has them.

    Raises:
        UsageError: with all the errors at once.
    """
    data = read_yaml(path)
    wrong = [problem for text in overrides if (problem := override(data, text))]
    config, found = check(data)
    if config is None or wrong:
        raise UsageError(
            f"{path}: {'; '.join(wrong + found)}", "see examples/ for configs that work"
        )
    return anchored(config, path.parent)


def read_run_config(folder: Path) -> Config:
    """The config that a run was started with; its paths are absolute.

    Raises:
        UsageError: if there is no run, or its config is of another version.
    """
    path = folder / CONFIG
    try:
        config, found = check(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        message = f"{folder} is not the folder of a run: {error}"
        raise UsageError(message, "give a folder that `sepcli train` wrote") from error
    if config is None:
        raise UsageError(f"{path}: {'; '.join(found)}", "train it anew with this version")
    return config


def override(data: dict[str, Any], text: str) -> str:
    """Set a key of a config in place; returns what is wrong with `key=value`, or nothing."""
    key, equals, value = text.partition("=")
    *sections, last = (int(part) if part.isdecimal() else part for part in key.split("."))
    if not equals or not key:
        return f"{text}: an override is key=value"
    here: Any = data
    try:
        for part in sections:
            here = here.setdefault(part, {}) if isinstance(here, dict) else here[part]
        here[last] = yaml.safe_load(value)
    except (IndexError, TypeError):
        return f"{key}: there is no such place in the config"
    except yaml.YAMLError:
        return f"{key}: {value} is not valid YAML"
    return ""


def check(data: Any) -> tuple[Config | None, list[str]]:
    """The config in plain data, or None and what is wrong with it."""
    kind = data.get("kind") if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        return None, [no_choice("kind", kind, KINDS)]
    try:
        config = KINDS[kind].model_validate(with_names(data, KINDS[kind]))
    except ValidationError as error:
        return None, problems(error, KINDS[kind]) + unknown_corpora(data)
    found = unknown_corpora(data)
    return (None if found else config), found


def unknown_corpora(data: dict[str, Any]) -> list[str]:
    """Which corpora are of no known kind, in data that may have other faults."""
    corpora = data.get("corpora")
    rows = enumerate(corpora if isinstance(corpora, list) else [])
    kinds = [(i, row["kind"]) for i, row in rows if isinstance(row, dict) and "kind" in row]
    return [no_choice(f"corpora.{i}.kind", k, READERS) for i, k in kinds if str(k) not in READERS]


def no_choice(key: str, given: object, known: Iterable[str]) -> str:
    """That a value is none of those to choose from."""
    names = list(known)
    hint = suggestion(str(given), names)
    return f"{key}: must be one of {', '.join(names)}, not {given}{hint}"


def with_names(data: dict[str, Any], section: type[Section]) -> dict[str, Any]:
    """A config in which `network` or `objective` without a name is the one that is usual."""
    named = dict(data)
    for key, field in section.model_fields.items():
        if isinstance(field.discriminator, str) and isinstance(data.get(key), dict):
            usual = getattr(field.default, field.discriminator)
            named[key] = {field.discriminator: usual, **data[key]}
    return named


def anchored(config: Config, folder: Path) -> Config:
    """The config with variables in its paths filled in, and relative paths from `folder`."""
    found: Config = placed(config, folder)
    if not isinstance(found, SeparatorConfig):
        return found
    named = {"clap": found.clap, "start": found.start}
    runs = {key: anchored_run(run, folder) for key, run in named.items() if run}
    return found.model_copy(update=runs)


def anchored_run(run: str, folder: Path) -> str:
    """A `clap` or `start` whose folder, if it is one, does not depend on where it is read from."""
    if run.startswith(MODEL):
        return run
    if not run.startswith(CLIP):
        return str(place(Path(run), folder))
    named = place(Path(run.removeprefix(CLIP)), folder)
    return f"{CLIP}{named}" if named.is_dir() else run


def placed(value: Any, folder: Path) -> Any:
    """A value with all paths in it placed."""
    if isinstance(value, Path):
        return place(value, folder)
    if isinstance(value, list):
        return [placed(part, folder) for part in value]
    if isinstance(value, Section):
        return value.model_copy(update={name: placed(part, folder) for name, part in value})
    return value


def place(path: Path, folder: Path) -> Path:
    """A config's path as an absolute one, with ${NAME} replaced by the environment's variable.

    Raises:
        UsageError: if a variable is not set.
    """
    text = os.path.expandvars(path)
    if "$" in text:
        raise UsageError(f"a variable in {path} is not set", "export it, or write the path out")
    return Path(os.path.abspath(folder / Path(text).expanduser()))  # noqa: PTH100 - keeps links
