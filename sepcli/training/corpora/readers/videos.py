"""MUSIC (Zhao et al., 2018) and VGGSound (Chen et al., 2020): clips of YouTube videos by class.

The lists are annotations/{train,val,test}.csv, or the same in the root. Without a list that
validates, a tenth of the training videos does. No clip may be shipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from sepcli.errors import UsageError
from sepcli.evaluation.datasets.tables import read_rows
from sepcli.training.corpora.clip import VALIDATION_PERCENT, Clip, Split, percentile

SPLITS: dict[str, Split] = {"train": "train", "val": "validation", "test": "test"}
VGGSOUND = "vggsound.csv"
LICENCE = "audio of YouTube"
AUDIO = "audio/"

Named = tuple[str, str, str]  # file below audio/, label, video


def read_music(root: Path) -> Iterator[Clip]:
    """Rows of /<instrument>/<clip>, frames, number of frames, as Sound-of-Pixels lists them."""
    return listed(root, "music", instrument_row)


def read_vggsound(root: Path) -> Iterator[Clip]:
    """The official vggsound.csv, whose clips are <video>_<second in six digits>.wav.

    Without it, rows of <clip>, <label>, as BiModalAudioSeparation lists them.
    """
    path = root / VGGSOUND
    if not path.is_file():
        yield from listed(root, "vggsound", class_row)
        return
    for row in read_rows(path):
        if len(row) != 4 or not row[1].isdecimal() or row[3] not in ("train", "test"):
            raise unreadable(path, row, "<video>, <second>, <label>, train or test")
        video, second, label, part = row
        split = SPLITS[part] if part == "test" else validating(video)
        yield clip(root, "vggsound", (f"{video}_{int(second):06}.wav", label, video), split)


def listed(root: Path, corpus: str, parsed: Callable[[Path, list[str]], Named]) -> Iterator[Clip]:
    """The clips of the lists that are there; one of clips to train on has to be."""
    paths = {name: list_of(root, name) for name in SPLITS}
    for name, split in SPLITS.items():
        if name == "train" or paths[name].is_file():
            for row in read_rows(paths[name]):
                named = parsed(paths[name], row)
                sets_aside = name == "train" and not paths["val"].is_file()
                yield clip(root, corpus, named, validating(named[2]) if sets_aside else split)


def list_of(root: Path, name: str) -> Path:
    """Where a list is, if it is there."""
    beside = root / f"{name}.csv"
    return beside if beside.is_file() else root / "annotations" / f"{name}.csv"


def instrument_row(path: Path, row: list[str]) -> Named:
    """A row of MUSIC's."""
    parts = row[0].strip().lstrip("/").split("/")
    if len(parts) != 2:
        raise unreadable(path, row, "/<instrument>/<clip>, frames, number of frames")
    return "/".join(parts), parts[0].replace("_", " "), Path(parts[1]).stem


def class_row(path: Path, row: list[str]) -> Named:
    """A row of VGGSound's; labels may hold commas."""
    if len(row) < 2:
        raise unreadable(path, row, "<clip>, <label>")
    file = row[0].strip().rpartition(AUDIO)[2]
    video = Path(file).stem.rpartition("_")[0] or Path(file).stem
    return file, ",".join(row[1:]).strip().replace("_", " "), video


def unreadable(path: Path, row: list[str], expected: str) -> UsageError:
    """The error of a row that is something else."""
    return UsageError(f"{path} has a row that is not {expected}: {','.join(row)}", "correct it")


def validating(video: str) -> Split:
    """The split of a video to train on, of which every tenth validates."""
    return "validation" if percentile(video) < VALIDATION_PERCENT else "train"


def clip(root: Path, corpus: str, named: Named, split: Split) -> Clip:
    """A clip with one label."""
    file, label, video = named
    credit = f"YouTube {video}"
    path = root / AUDIO / file
    return Clip(path, (label,), video, split, LICENCE, credit, ship=False, corpus=corpus)
