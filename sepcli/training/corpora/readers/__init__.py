"""Corpora as they lie on disk, one family of layouts per file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from sepcli.errors import UsageError
from sepcli.sections import suggestion
from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.manifest import read_manifest
from sepcli.training.corpora.phrasing import described
from sepcli.training.corpora.readers.audiocaps import read_audiocaps
from sepcli.training.corpora.readers.clotho import read_clotho
from sepcli.training.corpora.readers.esc import read_esc10, read_esc50
from sepcli.training.corpora.readers.folders import read_class_folders, read_stems
from sepcli.training.corpora.readers.fsd50k import read_fsd50k
from sepcli.training.corpora.readers.musdb import read_musdb18, read_musdb18_hq
from sepcli.training.corpora.readers.package_sounds import read_sounds
from sepcli.training.corpora.readers.videos import read_music, read_vggsound

DEBIAN = "debian-sounds"  # what debian.py rebuilds has the layout `sounds`

Reader = Callable[[Path], Iterable[Clip]]

READERS: dict[str, Reader] = {
    "esc10": read_esc10,
    "esc50": read_esc50,
    "sounds": read_sounds,
    DEBIAN: read_sounds,
    "class-folders": read_class_folders,
    "stems": read_stems,
    "fsd50k": read_fsd50k,
    "audiocaps": read_audiocaps,
    "clotho": read_clotho,
    "vggsound": read_vggsound,
    "music": read_music,
    "musdb18": read_musdb18,
    "musdb18-hq": read_musdb18_hq,
    "manifest": read_manifest,
}


def read_corpus(name: str, root: Path) -> list[Clip]:
    """All clips that a corpus lists, of all splits; whether their files are there is not looked at.

    Captions are split into phrases, unless phrases are given.

    Args:
        name: of a reader.
        root: the corpus's folder, or the file of a manifest.

    Raises:
        UsageError: if there is no such reader or root, a list in it is broken, or lists nothing.
    """
    if name not in READERS:
        message = f"no corpus {name}{suggestion(name, READERS)}"
        raise UsageError(message, f"known are {', '.join(READERS)}")
    if not root.exists():
        raise UsageError(f"no such corpus: {root}", "create it, or correct `root`")
    clips = [described(clip) for clip in READERS[name](root)]
    if not clips:
        raise UsageError(
            f"no clips in {root}, read as {name}", "correct `root`, or fill the folder"
        )
    return clips
