"""What would be trained, and on what, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from sepcli.query.tokens import WordPieces
from sepcli.training.clap import Clap
from sepcli.training.config import ClapConfig
from sepcli.training.corpora.clip import Clip
from sepcli.training.load_config import Config
from sepcli.training.networks import build_masker
from sepcli.training.recipe import Prepared, count
from sepcli.training.teacher import load_teacher

SHOWN = 10  # labels or licences in a line
HOUR = 3600  # seconds


def describe(prepared: Prepared) -> str:
    """Lines of `what: how much`.

    Raises:
        UsageError: if the CLAP that a separator listens to is not there.
        ModelError: likewise, of a registered model.
    """
    config, clips = prepared.config, prepared.clips
    rows = {
        "trains": f"{title(config)}, {parameters(config) / 1e6:.2f} million parameters",
        "train": amount([clip for clip in clips if clip.split == "train"]),
        "validation": amount([clip for clip in clips if clip.split == "validation"]),
        "labels": tally(label for clip in clips for label in clip.labels),
        "licences": tally(clip.licence or "unknown" for clip in clips),
        "steps": f"{config.steps}, each of {config.batch * config.loop.accumulate} mixtures of "
        f"{config.seconds:g} s",
    }
    return "\n".join(f"{name}: {text}" for name, text in rows.items())


def title(config: Config) -> str:
    """What a config trains."""
    if isinstance(config, ClapConfig):
        return "a small CLAP"
    return f"a separator ({config.network.name}, {config.objective.name})"


def parameters(config: Config) -> int:
    """How many numbers are trained."""
    if isinstance(config, ClapConfig):
        return count(Clap(WordPieces(config.tokenizer).size))
    return count(build_masker(config.network, load_teacher(config.clap).dimension))


def amount(clips: Sequence[Clip]) -> str:
    """Clips and hours."""
    return f"{len(clips)} clips, {sum(clip.duration or 0 for clip in clips) / HOUR:.2f} h"


def tally(names: Iterable[str]) -> str:
    """The commonest names with their numbers."""
    counts = Counter(names).most_common()
    text = ", ".join(f"{name} {count}" for name, count in counts[:SHOWN])
    more = len(counts) - SHOWN
    return f"{len(counts)}: {text}" + (f" and {more} more" if more > 0 else "")
