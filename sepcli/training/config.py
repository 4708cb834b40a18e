"""What a training run is, as one YAML file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sepcli.errors import UsageError
from sepcli.yaml_file import read_yaml


class Section(BaseModel):
    """A part of a config: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CorpusConfig(Section):
    """A folder of labelled recordings."""

    kind: Literal["esc10", "sounds", "class-folders"]
    root: Path


class RunConfig(Section):
    """What the trainings share."""

    seed: int = 0
    corpora: list[CorpusConfig] = Field(min_length=1)
    licences: Literal["shippable", "any"] = "shippable"
    emphasis: dict[str, float] = {}  # label -> factor on how often it is drawn
    threads: int = Field(default=2, ge=1)
    steps: int = Field(ge=1)
    batch: int = Field(ge=1)
    seconds: float = Field(gt=0)
    lr: float = Field(gt=0)
    save_every: int = Field(default=250, ge=1)


class ClapConfig(RunConfig):
    """The small CLAP: a text tower distilled, then both towers aligned."""

    kind: Literal["clap"]
    tokenizer: Path
    label_list: Path  # CSV with a column display_name: words that must be known well
    word_pairs: int = Field(default=60_000, ge=0)
    distil_steps: int = Field(default=4500, ge=1)
    distil_batch: int = Field(default=512, ge=1)


class SeparatorConfig(RunConfig):
    """A BandUNet, supervised by the sources of every mixture."""

    kind: Literal["separator"]
    clap: Path  # run folder of the CLAP it listens to
    start: Path | None = None  # run folder whose averaged weights to go on from
    widths: tuple[int, ...] = (40, 64, 96, 160)
    hidden: int = 160
    audio_queries: float = Field(default=0.15, ge=0, le=1)  # share asked for by an example
    absent_queries: float = Field(default=0.25, ge=0, le=1)  # share asking for what is not there
    presence_steps: int = Field(default=600, ge=1)  # for the presence score, at the end
    ema: float = Field(default=0.999, ge=0, lt=1)


TrainConfig = Annotated[ClapConfig | SeparatorConfig, Field(discriminator="kind")]


def load_config(path: Path) -> ClapConfig | SeparatorConfig:
    """Read and check a config. Relative paths in it start from the config's folder.

    Raises:
        UsageError: with all the errors at once.
    """
    data = read_yaml(path)
    adapter: TypeAdapter[ClapConfig | SeparatorConfig] = TypeAdapter(TrainConfig)
    try:
        config = adapter.validate_python(data)
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors()
        ]
        raise UsageError(
            f"{path}: " + "; ".join(lines), "see examples/ for configs that work"
        ) from None
    return anchored(config, path.parent)


def anchored(config: ClapConfig | SeparatorConfig, folder: Path) -> ClapConfig | SeparatorConfig:
    """The config with variables in its paths filled in, and relative paths from `folder`."""
    paths = {name: place(value, folder) for name, value in config if isinstance(value, Path)}
    corpora = [c.model_copy(update={"root": place(c.root, folder)}) for c in config.corpora]
    return config.model_copy(update={**paths, "corpora": corpora})


def place(path: Path, folder: Path) -> Path:
    """A config's path, with ${NAME} replaced by the environment's variable.

    Raises:
        UsageError: if a variable is not set.
    """
    text = os.path.expandvars(path)
    if "$" in text:
        raise UsageError(f"a variable in {path} is not set", "export it, or write the path out")
    return folder / text
