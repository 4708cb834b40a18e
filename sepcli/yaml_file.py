"""YAML from people we do not know: plain data only, and not too much of it. Written atomically."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sepcli.errors import UsageError
from sepcli.text_file import read_text

LARGEST = 1_000_000  # bytes
LONGEST_REASON = 300  # characters of what the parser says
MOST_LEVELS = 50  # of lists in lists; a registry has 5
MOST_ALIASES = 100  # nested aliases grow exponentially when they are expanded


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file whose top level is a mapping.

    Raises:
        UsageError: if it is missing, too large, not YAML, or not a mapping.
    """
    return parse_yaml(read_text(path, LARGEST), str(path))


def parse_yaml(text: str, name: str) -> dict[str, Any]:
    """The mapping in a YAML text; `name` says in errors where it came from."""
    try:
        check_shape(text, name)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        place = " ".join(str(error).split())[:LONGEST_REASON]
        raise UsageError(f"{name} is not valid YAML: {place}", "correct the file") from error
    if not isinstance(data, dict):
        raise UsageError(f"{name} is not a mapping of keys to values", "correct the file")
    return data


def check_shape(text: str, name: str) -> None:
    """Refuse what would grow when it is read, before it is.

    Raises:
        UsageError: if it is nested too deeply, or has too many aliases.
        YAMLError: if it is not YAML.
    """
    levels = aliases = 0
    for event in yaml.parse(text):
        aliases += isinstance(event, yaml.AliasEvent)
        levels += isinstance(event, yaml.CollectionStartEvent)
        levels -= isinstance(event, yaml.CollectionEndEvent)
        if aliases > MOST_ALIASES:
            raise UsageError(f"{name} uses too many YAML aliases", "write the values out")
        if levels > MOST_LEVELS:
            raise UsageError(f"{name} is nested too deeply", "write it with fewer levels")


def write_yaml(path: Path, data: Mapping[str, Any]) -> None:
    """Write a mapping, keys in their order: the file is the old one or the new one, never half.

    Raises:
        OSError: if it cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            yaml.safe_dump(dict(data), file, sort_keys=False)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
