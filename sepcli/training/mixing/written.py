"""From corpora to the manifest of their mixtures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sepcli.audio.writer import output_errors
from sepcli.errors import UsageError
from sepcli.training.config import CorpusConfig, RunConfig
from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.guard import held_back
from sepcli.training.corpora.licences import select
from sepcli.training.corpora.readers import READERS, read_corpus
from sepcli.training.corpora.sounds import RATE, Sounds
from sepcli.training.mixing.manifest import Broken, Mixer, Recipe, usable, write_mixtures
from sepcli.training.mixing.pantry import Pantry
from sepcli.training.mixing.pools import refuse_too_few
from sepcli.training.ontology import Ontology


@dataclass(frozen=True)
class Stock:
    """What there is to mix; see `RunConfig`."""

    corpora: Sequence[CorpusConfig]
    licences: str | Sequence[str] = "any"
    ontology: Path | None = None
    emphasis: Mapping[str, float] = field(default_factory=dict)
    memory_gib: float = 1.0

    @staticmethod
    def of(config: RunConfig) -> Stock:
        """What a training would mix."""
        return Stock(
            config.corpora, config.licences, config.ontology, config.emphasis, config.memory_gib
        )

    def clips(self) -> list[Clip]:
        """All clips of the licences; those that no training may hear are of the split `test`."""
        listed = [clip for corpus in self.corpora for clip in read_corpus(corpus.kind, corpus.root)]
        return select(held_back(listed), self.licences)


def corpus_of(text: str) -> CorpusConfig:
    """`KIND:ROOT`.

    Raises:
        UsageError: if it is something else.
    """
    kind, colon, root = text.partition(":")
    if not colon or not root:
        remedy = f"write KIND:ROOT, such as class-folders:my/sounds; kinds are {', '.join(READERS)}"
        raise UsageError(f"not a corpus: {text!r}", remedy)
    return CorpusConfig(kind=kind, root=Path(root))


def draw_manifest(
    root: Path, stock: Stock, recipe: Recipe, suffix: str, broken: Broken
) -> Iterator[int]:
    """Write `<root>/<split>/data<suffix>`; yields how many mixtures are drawn, one after another.

    Args:
        root: Hive's reader finds the manifest from here.
        stock: what to mix.
        recipe: how.
        suffix: .jsonl or .parquet.
        broken: is told of clips that are missing, broken or silent.

    Raises:
        UsageError: if there is too little to mix, or a manifest of this split already.
        OutputError: if the disk is full or read-only.
    """
    path = root / recipe.split / f"data{suffix}"
    if path.exists():
        raise UsageError(f"{path} is there already", "delete it, or choose another folder")
    clips = usable(stock.clips(), recipe.split, broken)
    sounds = Sounds(clips, RATE, stock.memory_gib)
    pantry = Pantry(clips, sounds, Ontology.read(stock.ontology), stock.emphasis)
    refuse_too_few(pantry, recipe.mixing, f"the clips of the split {recipe.split}")
    with output_errors(path):  # before hours of drawing
        path.parent.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for row in Mixer(pantry, recipe, root, broken).rows():
        rows.append(row)
        yield len(rows)
    write_mixtures(path, rows)
