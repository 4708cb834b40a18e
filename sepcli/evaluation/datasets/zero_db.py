"""Sounds mixed at "0 dB" by a manifest that ships with sepcli, and how they are asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import soundfile
import yaml

from sepcli.errors import ItemError
from sepcli.evaluation.datasets.base import Dataset, Evidence, Example, Fact
from sepcli.evaluation.mixtures import RATE, ZeroDb, read_manifest, sources_of
from sepcli.training.ontology import Ontology

PACKAGE = Path(__file__).parents[1]
MANIFESTS = PACKAGE / "manifests"
DEMO = PACKAGE / "demo"


@dataclass(frozen=True)
class ZeroDbItem:
    """One mixture of a manifest; its stems are named by their labels.

    Attributes:
        name: number in the manifest, and labels.
        mixture: which files.
        root: where they are.
        words: label -> ways to ask for it, the plain one first; of labels that are not heard, too.
        other_files: stem -> another recording of its label.
    """

    name: str
    mixture: ZeroDb
    root: Path
    words: Mapping[str, tuple[str, ...]]
    other_files: Mapping[str, str]

    @property
    def stems(self) -> tuple[str, ...]:
        """Labels of what is heard."""
        return self.mixture.labels

    @property
    def facts(self) -> Mapping[str, Fact]:
        """How many sources there are."""
        return {"sources": len(self.stems)}

    @property
    def queries(self) -> Mapping[str, str]:
        """The plain words for every stem."""
        return {stem: self.words[stem][0] for stem in self.stems}

    @property
    def files(self) -> tuple[Path, ...]:
        """The clips."""
        return tuple(self.root / name for name in self.mixture.files)

    @property
    def paraphrases(self) -> Mapping[str, tuple[str, ...]]:
        """Other words for every stem."""
        return {stem: self.words[stem][1:] for stem in self.stems}

    @property
    def absent(self) -> str:
        """Plain words for a sound unlike all that is heard."""
        return self.words[self.mixture.absent][0]

    @property
    def others(self) -> Mapping[str, str]:
        """Plain words for the labels that are asked for, but not heard."""
        return {label: row[0] for label, row in self.words.items() if label not in self.stems}

    @property
    def examples(self) -> Mapping[str, Path]:
        """Another recording of every stem's label."""
        return {stem: self.root / name for stem, name in self.other_files.items()}

    def read(self) -> Example:
        """Mix the clips, mono, 44.1 kHz, 5 s.

        Raises:
            ItemError: if a clip is missing or broken.
        """
        try:
            sources = sources_of(self.mixture, self.root).astype(np.float64)[:, None]
        except (OSError, soundfile.LibsndfileError) as error:
            raise ItemError(f"{self.name}: {error}", "complete the data set") from error
        except ZeroDivisionError:
            remedy = "get its clips again"
            raise ItemError(f"{self.name}: one of its clips is silent", remedy) from None
        references = dict(zip(self.stems, sources, strict=True))
        return Example(RATE, sources.sum(axis=0), references)


class Manifest:
    """A data set that a manifest describes.

    Args:
        name: of the file in sepcli/evaluation/manifests.
        words: label -> ways to ask for it.
        ask_all: whether probes ask for every label that is not heard, or for one unlike label.
    """

    def __init__(
        self, name: str, words: Mapping[str, tuple[str, ...]], ask_all: bool = True
    ) -> None:
        self._name, self._words, self._ask_all = name, words, ask_all

    @cached_property
    def mixtures(self) -> list[ZeroDb]:
        """What is mixed."""
        return read_manifest(MANIFESTS / f"{self._name}.jsonl")

    @cached_property
    def clips(self) -> dict[str, list[str]]:
        """Label -> its files, in order."""
        files: dict[str, set[str]] = {}
        for mixture in self.mixtures:
            for file, label in zip(mixture.files, mixture.labels, strict=True):
                files.setdefault(label, set()).add(file)
        return {label: sorted(row) for label, row in sorted(files.items())}

    def items(self, root: Path, _split: str) -> Sequence[ZeroDbItem]:
        """All mixtures of the clips below `root`."""
        return [
            ZeroDbItem(
                f"{number:04}-{'-'.join(mixture.labels)}",
                mixture,
                root,
                self.words(mixture),
                self.following(mixture),
            )
            for number, mixture in enumerate(self.mixtures)
        ]

    def words(self, mixture: ZeroDb) -> dict[str, tuple[str, ...]]:
        """Ways to ask for what is heard in a mixture, and for what is asked for but not heard."""
        labels = self.clips if self._ask_all else (*mixture.labels, mixture.absent)
        return {label: self._words[label] for label in labels}

    def following(self, mixture: ZeroDb) -> dict[str, str]:
        """Stem -> the next other recording of its label, from another uploader's recording."""
        found = {}
        for file, label in zip(mixture.files, mixture.labels, strict=True):
            row = self.clips[label]
            at = row.index(file)
            turned = row[at + 1 :] + row[:at]
            found[label] = next((x for x in turned if recording(x) != recording(file)), file)
        return found

    def recognise(self, root: Path) -> Evidence | None:
        """Whether the clips are below `root`."""
        names = {file for row in self.clips.values() for file in row}
        there = sum((root / name).is_file() for name in names)
        return Evidence(1.0, f"{there} of {len(names)} clips") if there else None


def recording(file: str) -> str:
    """What clips of one recording, or of one package, share in their names."""
    return re.split(r"-[A-Z]\.|__", file)[0]


@cache
def esc10_words() -> dict[str, tuple[str, ...]]:
    """ESC-10's labels -> a plain query and three paraphrases that no training has seen."""
    text = (MANIFESTS / "esc10_queries.yaml").read_text(encoding="utf-8")
    return {label: tuple(row) for label, row in yaml.safe_load(text).items()}


def plain_words() -> dict[str, tuple[str, ...]]:
    """Every label of the ontology -> its first phrase."""
    return {label: row[:1] for label, row in Ontology.load().phrases.items()}


QUERY_PROTOCOLS = ("sepcli/zero-db", "sepcli/queries", "sepcli/like")
ESC10_LICENCE = "CC0 and CC BY 3.0, by clip"
DEMO_SET = Manifest("demo", esc10_words())
DEMO_MANY = Manifest("demo-many", esc10_words())
PACKAGE_DISJOINT = Manifest("package-disjoint", plain_words(), ask_all=False)

DATASETS = {
    "demo": Dataset(
        title="ESC-10's fold 4, two sounds at 0 dB",
        licence=ESC10_LICENCE,
        size="80 clips, 8 MB",
        how_to_get="it ships with sepcli",
        signature="the clips of sepcli/evaluation/demo",
        protocols=QUERY_PROTOCOLS,
        splits={"test": 320},
        recognise=DEMO_SET.recognise,
        items=DEMO_SET.items,
        bundled=DEMO,
    ),
    "demo-many": Dataset(
        title="ESC-10's fold 4, two to five sounds at 0 dB",
        licence=ESC10_LICENCE,
        size="80 clips, 8 MB",
        how_to_get="it ships with sepcli",
        signature="the clips of sepcli/evaluation/demo",
        protocols=QUERY_PROTOCOLS,
        splits={"test": 160},
        recognise=DEMO_MANY.recognise,
        items=DEMO_MANY.items,
        bundled=DEMO,
    ),
    "package-disjoint": Dataset(
        title="sounds of Debian packages that no training has seen, two at 0 dB",
        licence="by package",
        size="186 mixtures of 58 labels",
        how_to_get="the packages that its manifest names",
        signature="LABEL/PACKAGE__NUMBER.ogg",
        protocols=QUERY_PROTOCOLS,
        splits={"test": 186},
        recognise=PACKAGE_DISJOINT.recognise,
        items=PACKAGE_DISJOINT.items,
        home=("sounds",),
    ),
}
