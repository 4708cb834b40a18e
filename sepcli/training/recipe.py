"""A training from its config to the model it leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from sepcli.errors import UsageError
from sepcli.training.clap import train_clap
from sepcli.training.config import ClapConfig, SeparatorConfig
from sepcli.training.corpus import READERS, Clip, Sound, load
from sepcli.training.export import export
from sepcli.training.ontology import Ontology
from sepcli.training.separator import train_separator

Config = ClapConfig | SeparatorConfig


def train(config: Config, out: Path) -> Iterator[dict[str, float]]:
    """Run a training in a folder, going on from its checkpoint; yields figures of every step."""
    torch.set_num_threads(config.threads)
    clips = clips_of(config)
    sounds = load_all(clips)
    if isinstance(config, ClapConfig):
        yield from train_clap(config, out, sounds)
    else:
        if not (config.clap / "checkpoint.pt").exists():
            raise UsageError(f"no finished CLAP in {config.clap}", "train it first, see `clap:`")
        yield from train_separator(config, out, sounds)
        export(config, out, out, clips)


def clips_of(config: Config) -> list[Clip]:
    """The clips that a training may use; never those of a test split.

    Raises:
        UsageError: if there is nothing to mix, or a label has no name.
    """
    clips = [
        clip
        for corpus in config.corpora
        for clip in READERS[corpus.kind](corpus.root)
        if clip.split != "test" and (clip.ship or config.licences == "any")
    ]
    known = Ontology.load().groups
    if unknown := sorted({clip.label for clip in clips} - known.keys()):
        message = f"labels without an entry in the ontology: {', '.join(unknown[:5])}"
        raise UsageError(message, "add them to sepcli/training/ontology.yaml")
    if not any(clip.split == "validation" for clip in clips):
        raise UsageError("no clips to validate on", "add clips: a part of them is set aside")
    groups = {known[clip.label] for clip in clips if clip.split == "train"}
    if len(groups) < 2:
        message = f"{len(groups)} kinds of sound in the corpora: nothing to mix"
        raise UsageError(message, "add a corpus with unlike sounds")
    return clips


def load_all(clips: list[Clip]) -> list[Sound]:
    """Decode clips, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(load, clips))
