"""Protocols: what decides the meaning of a figure, declared in protocols.yaml."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from sepcli.errors import UsageError
from sepcli.evaluation.scene import Compat
from sepcli.sections import suggestion

Aggregation = Literal[
    "mean over items",
    "median over items",
    "mean of class means",
    "mean of class medians",
    "mean over stems, then items",
]


class Protocol(BaseModel):
    """An entry of protocols.yaml, whose head explains the keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    summary: str
    source: str
    rate: int | None = Field(default=None, gt=0)
    mono: bool = False
    stems: tuple[str, ...] | None = None
    prompts: dict[str, str] = {}
    remainder: str | None = None
    metrics: tuple[str, ...]
    primary: str
    permutation: Literal["si_sdr"] | None = None
    compat: Compat = "sepcli"
    aggregate: Aggregation
    probes: Literal["queries", "like"] | None = None

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that change with any part of the protocol."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:8]


@cache
def protocols() -> dict[str, Protocol]:
    """All protocols by id."""
    text = resources.files("sepcli.evaluation").joinpath("protocols.yaml").read_text("utf-8")
    return {name: Protocol(**entry) for name, entry in yaml.safe_load(text).items()}


def find_protocol(name: str) -> Protocol:
    """A protocol by id.

    Raises:
        UsageError: if there is none such.
    """
    known = protocols()
    if name not in known:
        message = f"no protocol {name}{suggestion(name, known)}"
        raise UsageError(message, "see `sepcli eval protocols`")
    return known[name]
