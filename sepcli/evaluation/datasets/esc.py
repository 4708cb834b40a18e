"""ESC-50 and ESC-10: clips of everyday sounds, two of unlike classes mixed at "0 dB".

A split is a fold of the data set; partners come from the same fold. Mixtures are drawn with a seed
from the published list of clips, not from the files that are there, so they are the same wherever
they are drawn. Of sounds that nobody could tell apart by a word, two never meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from sepcli.evaluation.datasets.base import Dataset, Evidence
from sepcli.evaluation.datasets.tables import has_columns, read_table
from sepcli.evaluation.datasets.zero_db import ZeroDbItem
from sepcli.evaluation.mixtures import draw_pairs
from sepcli.training.corpora.clip import Clip
from sepcli.training.ontology import Ontology

SEED = 20_151_013
FOLDS = ("1", "2", "3", "4", "5")
META = "meta/esc50.csv"
META_COLUMNS = ("filename", "fold", "category", "esc10", "src_file")
MANIFEST = "manifest.csv"
MANIFEST_COLUMNS = ("file", "label", "fold", "freesound_id")
PROTOCOLS = ("sepcli/zero-db",)
ALIKE = (
    ("rooster", "hen"),
    ("crow", "chirping birds"),
    ("insects", "crickets"),
    ("rain", "sea waves", "water drops", "pouring water", "toilet flush", "thunderstorm"),
    ("crying baby", "baby cry"),
    ("sneezing", "person sneeze", "coughing", "breathing", "snoring", "laughing"),
    ("door wood knock", "door wood creaks"),
    ("mouse click", "keyboard typing"),
    ("clock alarm", "clock tick"),
    ("helicopter", "engine", "airplane", "train", "washing machine", "vacuum cleaner"),
    ("chainsaw", "hand saw"),
    ("siren", "car horn"),
)


def esc50(root: Path, split: str) -> list[ZeroDbItem]:
    """Every clip of a fold with one partner."""
    return mixtures(root, meta_clips(root, split, of_ten=False))


def esc10(root: Path, split: str) -> list[ZeroDbItem]:
    """The same with the ten classes of ESC-10, from ESC-50's folder or from one of its own."""
    if (root / META).is_file():
        return mixtures(root, meta_clips(root, split, of_ten=True))
    rows = read_table(root / MANIFEST, MANIFEST_COLUMNS)
    chosen = [row for row in rows if f"fold{row['fold']}" == split]
    clips = [clip(root / r["file"], r["label"], r["freesound_id"]) for r in chosen]
    return mixtures(root, clips)


def meta_clips(root: Path, split: str, of_ten: bool) -> list[Clip]:
    """The clips of a fold by ESC-50's own table."""
    rows = read_table(root / META, META_COLUMNS)
    return [
        clip(root / "audio" / row["filename"], row["category"].replace("_", " "), row["src_file"])
        for row in rows
        if f"fold{row['fold']}" == split and (row["esc10"] == "True" or not of_ten)
    ]


def clip(path: Path, label: str, origin: str) -> Clip:
    """A clip, as mixtures are drawn of them."""
    return Clip(path, (label,), origin, "test", "CC BY-NC", "K. J. Piczak", ship=False)


def mixtures(root: Path, clips: Sequence[Clip]) -> list[ZeroDbItem]:
    """Every clip with one partner; its stems are its labels, which are the queries, too."""
    words = {name: (name,) for name in sorted({clip.label for clip in clips})}
    files = {clip.path.relative_to(root).as_posix(): clip for clip in clips}
    return [
        ZeroDbItem(
            f"{number:04}-{'-'.join(label.replace(' ', '_') for label in mixture.labels)}",
            mixture,
            root,
            words,
            {files[name].label: following(name, files) for name in mixture.files},
        )
        for number, mixture in enumerate(draw_pairs(clips, root, 1, ontology(words), SEED))
    ]


def following(name: str, files: dict[str, Clip]) -> str:
    """The next file of the same class that was cut from another recording; itself if none is."""
    mine = files[name]
    order = sorted(files)
    at = order.index(name)
    others = (x for x in order[at:] + order[:at] if files[x].label == mine.label)
    return next((x for x in others if files[x].origin != mine.origin), name)


def ontology(labels: Iterable[str]) -> Ontology:
    """Which labels are alike: those of one row of ALIKE, and every label to itself."""
    groups = {label: label for label in labels}
    for row in ALIKE:
        groups |= {label: row[0] for label in row if label in groups}
    return Ontology(groups, {})


def recognise_esc50(root: Path) -> Evidence | None:
    """By its table."""
    return Evidence(1.0, META) if has_columns(root / META, META_COLUMNS) else None


def recognise_esc10(root: Path) -> Evidence | None:
    """By its manifest; ESC-50 holds ESC-10, too."""
    if has_columns(root / MANIFEST, MANIFEST_COLUMNS):
        return Evidence(0.9, f"{MANIFEST} with labels, folds and Freesound numbers")
    if has_columns(root / META, META_COLUMNS):
        return Evidence(0.5, f"{META}, which marks the clips of ESC-10")
    return None


DATASETS = {
    "esc10": Dataset(
        title="ESC-10, pairs of everyday sounds at 0 dB",
        licence="CC BY 3.0",
        size="400 clips of 5 s",
        how_to_get="github.com/karolpiczak/ESC-50 holds it",
        signature=f"{META} and audio/<clip>.wav, or {MANIFEST} and <clip>.ogg",
        protocols=PROTOCOLS,
        splits={f"fold{fold}": 80 for fold in FOLDS},
        recognise=recognise_esc10,
        items=esc10,
        home=("esc10", "ESC-10", "esc50", "ESC-50"),
    ),
    "esc50": Dataset(
        title="ESC-50, pairs of everyday sounds at 0 dB",
        licence="CC BY-NC",
        size="about 600 MB, 2000 clips of 5 s",
        how_to_get="github.com/karolpiczak/ESC-50",
        signature=f"{META} and audio/<clip>.wav",
        protocols=PROTOCOLS,
        splits={f"fold{fold}": 400 for fold in FOLDS},
        recognise=recognise_esc50,
        items=esc50,
        home=("esc50", "ESC-50"),
    ),
}
