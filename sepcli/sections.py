"""Parts of YAML files: closed sets of keys, and in words what is wrong with one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

CHOICES = {"literal_error": "expected", "union_tag_invalid": "expected_tags"}  # of pydantic
NO_SECTION = {"model_type", "model_attributes_type", "dict_type"}
KEY = "[key]"  # how pydantic says that it means a mapping's key


class Section(BaseModel):
    """A part of a file: unknown keys are errors, numbers are finite, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def explain(error: ValidationError, section: type[BaseModel]) -> str:
    """All errors of a section in one line, each with its dotted key, with did-you-mean."""
    return "; ".join(problems(error, section))


def problems(error: ValidationError, section: type[BaseModel]) -> list[str]:
    """One text for every key of a section that is wrong."""
    found: dict[str, list[str]] = {}
    for item in error.errors():
        path, known = locate(section, item["loc"])
        if item["type"] == "union_tag_invalid":
            path = [*path, item["ctx"]["discriminator"].strip("'")]
        found.setdefault(".".join(path) or "file", []).append(_sentence(item, known))
    return [f"{place}: {', or '.join(texts)}" for place, texts in found.items()]


def suggestion(word: str, known: Iterable[str]) -> str:
    """` (did you mean X?)`, or nothing if no known word is close."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def locate(section: type[BaseModel], location: Iterable[int | str]) -> tuple[list[str], list[str]]:
    """A place as its author wrote it, and the keys that are known there.

    Where a section is one of several, pydantic's locations also hold the name of the one it
    chose, which is no key of the file.
    """
    here: Any = section
    path: list[str] = []
    known: list[str] = []
    for part in location:
        if isinstance(here, dict):
            here = here.get(part)
        elif isinstance(here, type) and issubclass(here, BaseModel):
            known = list(here.model_fields)
            path.append(str(part))
            here = _content(here, str(part))
        elif get_origin(here) in (list, tuple, dict) and part != KEY:
            path.append(str(part))
            here = get_args(here)[-1]
    return path, known


def _content(section: type[BaseModel], key: str) -> Any:
    """The type of a key's value; {name: section} where a name in it decides."""
    field = section.model_fields.get(key)
    if field is None:
        return None
    if isinstance(field.discriminator, str):
        name = field.discriminator
        return {
            tag: option
            for option in get_args(field.annotation)
            for tag in get_args(option.model_fields[name].annotation)
        }
    if get_origin(field.annotation) in (Union, UnionType):
        options = [option for option in get_args(field.annotation) if option is not type(None)]
        return options[0] if len(options) == 1 else None
    return field.annotation


def _sentence(item: Any, known: list[str]) -> str:
    """What is wrong with one value."""
    kind, given = item["type"], item["input"]
    if kind == "extra_forbidden":
        return f"unknown key{suggestion(str(item['loc'][-1]), known)}"
    if kind == "missing":
        return "is missing"
    if kind in CHOICES:
        names = re.findall(r"'([^']*)'", item["ctx"][CHOICES[kind]])
        given = item["ctx"].get("tag", given)
        return f"must be one of {', '.join(names)}, not {given}{suggestion(str(given), names)}"
    if kind in NO_SECTION:
        return f"must be a section with keys, not {given}"
    if kind == "value_error" or isinstance(given, dict | list):
        return str(item["msg"].removeprefix("Value error, "))
    return f"{item['msg']}, not {given}"
