"""The six benchmark packs of AudioSep: mixtures made beforehand, of which one source is asked for.

The reference is the target; what remains of the mixture is none, so every item has one stem. What
to ask is in a CSV file beside the pack; without it, items have neither queries nor classes. In
AudioSep's repository the CSV files are in evaluation/metadata and the packs in evaluation/data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sepcli.evaluation.datasets.base import Dataset, Evidence, Fact
from sepcli.evaluation.datasets.sound import Track
from sepcli.evaluation.datasets.stems import FileItem
from sepcli.evaluation.datasets.tables import read_table

TARGET = "target"
HOW = "the Google Drive folder named in the README of github.com/Audio-AGI/AudioSep"
SEGMENT = re.compile(r"segment-(\d+)\.wav")
SOURCE = ",source.wav"
MIXTURE = ",mixture.wav"
VGG_MIXTURES, VGG_SOURCES = "data/mix_wav", "data/s0_wav"


def sheet(root: Path, name: str) -> Path | None:
    """The CSV file of a pack: in its folder, or where AudioSep's repository has it."""
    file = f"{name}_eval.csv"
    places = (root, root / "metadata", root.parent, root.parent.parent / "metadata")
    return next((place / file for place in places if (place / file).is_file()), None)


def item(
    name: str, reference: Path, mixture: Path, query: str | None, facts: dict[str, Fact]
) -> FileItem:
    """One mixture and its target."""
    queries = {} if query is None else {TARGET: query}
    return FileItem(name, {TARGET: (Track(reference),)}, Track(mixture), facts, queries)


@dataclass(frozen=True)
class NumberedPack:
    """segment-<number>.wav and mixture-<number>.wav in one folder.

    Attributes:
        name: of the pack's folder and CSV file.
        sources: in every mixture.
        labelled: whether captions are labels, hence classes.
    """

    name: str
    sources: int
    labelled: bool

    def items(self, root: Path, _split: str) -> list[FileItem]:
        """All mixtures of the CSV file, or all that are there if it is missing."""
        found = sheet(root, self.name)
        if found:
            rows = [(row["idx"], row["caption"]) for row in read_table(found, ("idx", "caption"))]
            return sorted((self._item(root, *row) for row in rows), key=lambda item: item.name)
        numbers = (SEGMENT.fullmatch(path.name) for path in root.glob("segment-*.wav"))
        return [self._item(root, number) for number in sorted(m[1] for m in numbers if m)]

    def _item(self, root: Path, number: str, caption: str | None = None) -> FileItem:
        facts: dict[str, Fact] = {"sources": float(self.sources)}
        if self.labelled and caption is not None:
            facts["class"] = caption
        reference, mixture = (root / f"{kind}-{number}.wav" for kind in ("segment", "mixture"))
        return item(number, reference, mixture, caption, facts)

    def recognise(self, root: Path) -> Evidence | None:
        """By the files' names, which four packs share, and the folder's or the CSV file's."""
        found = sum(1 for path in root.glob("segment-*.wav") if SEGMENT.fullmatch(path.name))
        if not found:
            return None
        reason = f"{found} files segment-<number>.wav"
        if (root / f"{self.name}_eval.csv").is_file():
            return Evidence(1.0, f"{reason} and {self.name}_eval.csv")
        if root.name == self.name:
            return Evidence(0.9, f"{reason} in a folder named {self.name}")
        return Evidence(0.4, f"{reason}; four packs look the same")


def vggsound_items(root: Path, _split: str) -> list[FileItem]:
    """All mixtures of the CSV file, or all that are there if it is missing."""
    found = sheet(root, "vggsound")
    if found:
        rows = read_table(found, ("file_id", "mix_wav", "s0_wav", "s0_text"))
        targets = sorted(
            (row["file_id"], row["mix_wav"], row["s0_wav"], row["s0_text"]) for row in rows
        )
        return [
            item(name, root / source, root / mixture, text, {"class": text, "sources": 2.0})
            for name, mixture, source, text in targets
        ]
    return [
        item(path.stem, root / VGG_SOURCES / path.name, path, None, {"sources": 2.0})
        for path in sorted((root / VGG_MIXTURES).glob("*.wav"))
    ]


def recognise_vggsound(root: Path) -> Evidence | None:
    """By the two folders."""
    if not ((root / VGG_MIXTURES).is_dir() and (root / VGG_SOURCES).is_dir()):
        return None
    return Evidence(1.0, f"{VGG_MIXTURES} and {VGG_SOURCES}")


def audioset_items(root: Path, _split: str) -> list[FileItem]:
    """All mixtures of the CSV file, or all that are there if it is missing."""
    found = sheet(root, "audioset")
    if found:
        rows = read_table(found, ("caption", "src_wav"))
        captions = {below_class(row["src_wav"]): row["caption"] for row in rows}
        return [audioset_item(root, name, captions[name]) for name in sorted(captions)]
    paths = root.glob(f"class_id=*/*{SOURCE}")
    names = sorted(below_class(path.as_posix()) for path in paths)
    return [audioset_item(root, name, None) for name in names]


def below_class(source: str) -> str:
    """The last folder and the name of a source file, without its end: class_id=0/..."""
    return "/".join(source.split("/")[-2:]).removesuffix(SOURCE)


def audioset_item(root: Path, name: str, caption: str | None) -> FileItem:
    """One mixture; without a caption, its class is its number."""
    label = caption or name.partition("/")[0].removeprefix("class_id=")
    facts: dict[str, Fact] = {"class": label, "sources": 2.0}
    return item(name, root / f"{name}{SOURCE}", root / f"{name}{MIXTURE}", caption, facts)


def recognise_audioset(root: Path) -> Evidence | None:
    """By the folders' and files' names."""
    classes = {path.parent for path in root.glob(f"class_id=*/*{SOURCE}")}
    return Evidence(1.0, f"{len(classes)} folders class_id=<number>") if classes else None


def numbered(
    pack: NumberedPack, title: str, licence: str, count: int, protocols: Sequence[str]
) -> Dataset:
    """The entry of a pack of numbered files."""
    return Dataset(
        title=f"AudioSep's benchmark pack of {title}",
        licence=licence,
        size=f"{count} mixtures",
        how_to_get=HOW,
        signature=f"{pack.name}/{{segment,mixture}}-<number>.wav, {pack.name}_eval.csv",
        protocols=tuple(protocols),
        splits={"test": count},
        recognise=pack.recognise,
        items=pack.items,
        home=(f"audiosep/{pack.name}", f"AudioSep/evaluation/data/{pack.name}"),
    )


PLAIN = ("lass/audiosep-sdri",)
DATASETS = {
    "audiosep-audioset": Dataset(
        title="AudioSep's benchmark pack of AudioSet, 527 classes",
        licence="audio of YouTube",
        size="5270 mixtures",
        how_to_get=HOW,
        signature="class_id=<number>/<name>,{source,mixture}.wav, audioset_eval.csv",
        protocols=("lass/audiosep-audioset",),
        splits={"test": 5270},
        recognise=recognise_audioset,
        items=audioset_items,
        home=("audiosep/audioset", "AudioSep/evaluation/data/audioset"),
    ),
    "audiosep-vggsound": Dataset(
        title="AudioSep's benchmark pack of VGGSound",
        licence="audio of YouTube",
        size="1000 mixtures",
        how_to_get=HOW,
        signature=f"{VGG_MIXTURES}/<name>.wav, {VGG_SOURCES}/<name>.wav, vggsound_eval.csv",
        protocols=PLAIN,
        splits={"test": 1000},
        recognise=recognise_vggsound,
        items=vggsound_items,
        home=("audiosep/vggsound", "AudioSep/evaluation/data/vggsound"),
    ),
    "audiosep-audiocaps": numbered(
        NumberedPack("audiocaps", 2, False), "AudioCaps", "audio of YouTube", 4820, PLAIN
    ),
    "audiosep-clotho": numbered(
        NumberedPack("clotho", 3, False), "Clotho, with two other sounds", "unknown", 5225, PLAIN
    ),
    "audiosep-music": numbered(
        NumberedPack("music", 2, True), "MUSIC", "unknown", 5004, ("lass/audiosep-music",)
    ),
    "audiosep-esc50": numbered(NumberedPack("esc50", 2, True), "ESC-50", "CC BY-NC", 2000, PLAIN),
}
