"""What an entry of a model registry says."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from sepcli.errors import UsageError
from sepcli.query.clip_files import PUBLISHED
from sepcli.registry.source import BY_HAND, check_url, is_remote
from sepcli.sections import Section, explain

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
SHA256 = r"^[0-9a-f]{64}$"
KIND = r"^[a-z][a-z0-9-]*$"  # of a conversion; part of a file name


class ModelFile(Section):
    """A file of a model.

    Attributes:
        source: `shipped:NAME` inside the package, a path, relative to the registry file, an
            https:// address, or `by-hand:` and the page where a person finds the file.
        sha256: of the whole file as it is published; null for models of one's own that still
            change, and for addresses whose first download is to be pinned.
        size: bytes, as published.
        mirrors: further addresses of the same file, tried in this order after `source`.
        convert: a kind of `sepcli.registry.convert` that makes safetensors of what is published.
    """

    source: str
    sha256: Annotated[str, Field(pattern=SHA256)] | None = None
    size: Annotated[int, Field(ge=1)] | None = None
    mirrors: list[str] = Field(default=[])
    convert: Annotated[str, Field(pattern=KIND)] | None = None

    @property
    def remote(self) -> bool:
        """Whether the file has to be fetched."""
        return is_remote(self.source)

    @property
    def by_hand(self) -> str:
        """The page where a person gets the file; empty if it can be fetched or is here."""
        return self.source.removeprefix(BY_HAND) if self.source.startswith(BY_HAND) else ""

    @field_validator("source")
    @classmethod
    def _may_be_fetched(cls, source: str) -> str:
        return check_url(source) if is_remote(source) else source

    @field_validator("mirrors")
    @classmethod
    def _mirrors_may_be_fetched(cls, mirrors: list[str]) -> list[str]:
        return [check_url(mirror) for mirror in mirrors]

    @model_validator(mode="after")
    def _only_addresses_are_pulled(self) -> ModelFile:
        if not self.remote and (self.mirrors or self.convert):
            raise ValueError("`mirrors` and `convert` belong to a source that is an address")
        return self


class QuerySupport(Section):
    """How a model is asked.

    Attributes:
        encoder: what reads queries.
        presence_threshold: how sure the model must be that a sound is there.
        clip: the CLIP that looks at pictures: a folder, relative to the registry file, or a name
            in the hub's cache. It is the encoder itself, or names what is seen for another.
    """

    encoder: Literal["small-clap", "laion-clap", "laion-clap-tokens", "laion-clap-package", "clip"]
    presence_threshold: float = Field(default=0.5, ge=0, le=1)
    clip: str = PUBLISHED

    @property
    def roles(self) -> tuple[str, ...]:
        """Files of the model that the encoder needs."""
        return () if self.encoder == "clip" else ("clap", "tokenizer")


class Windows(Section):
    """How long recordings are cut, in seconds."""

    length: float = Field(default=10.0, gt=0)
    context: float = Field(default=0.5, ge=0)
    fade: float = Field(default=0.25, gt=0)

    @model_validator(mode="after")
    def _leaves_a_hop(self) -> Windows:
        if self.length <= 2 * (self.context + self.fade):
            raise ValueError("length must exceed 2 * (context + fade)")
        return self


class Licence(Section):
    """SPDX names."""

    code: str
    weights: str


class ModelEntry(Section):
    """One model. It either answers queries or names its stems, never both.

    Attributes:
        unordered: whether the stems have no order of their own, as two speakers have none: those
            of a window may come in any, and are put in the order of the window before.
    """

    summary: str
    architecture: str
    arguments: dict[str, Any] = Field(default={})
    sample_rate: int | None = Field(default=None, description="Hz; null: any multiple of 100 Hz")
    channels: int | None = Field(default=None, description="null: any number, treated alike")
    query: QuerySupport | None = None
    stems: Annotated[list[str], Field(min_length=1)] | None = None
    unordered: bool = False
    windows: Windows = Windows()
    files: dict[str, ModelFile]
    licence: Licence
    training_data: str
    figures: dict[str, float] = Field(default={})

    @model_validator(mode="after")
    def _query_or_stems(self) -> ModelEntry:
        if (self.query is None) == (self.stems is None):
            raise ValueError("give either `query` or `stems`")
        if self.unordered and self.stems is None:
            raise ValueError("`unordered` belongs to `stems`")
        roles = {"separator", *(self.query.roles if self.query else ())}
        if missing := roles - self.files.keys():
            raise ValueError(f"files lacks {', '.join(sorted(missing))}")
        return self


class RegistryFile(Section):
    """A whole weights.yaml."""

    version: Literal[1]
    default: str | None = None
    models: dict[str, ModelEntry]

    @field_validator("models")
    @classmethod
    def _names(cls, models: dict[str, ModelEntry]) -> dict[str, ModelEntry]:
        for name in models:
            if not NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no model name: use a-z, 0-9, '.', '_' and '-'")
        return models


def check(data: dict[str, Any], name: str) -> RegistryFile:
    """Validate a registry's data.

    Raises:
        UsageError: naming every error at once, with suggestions for misspelt keys.
    """
    try:
        return RegistryFile.model_validate(data)
    except ValidationError as error:
        raise UsageError(f"{name}: {explain(error, RegistryFile)}", "correct the file") from None
