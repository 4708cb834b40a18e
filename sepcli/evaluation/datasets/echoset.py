"""EchoSet: two speakers in furnished rooms with noise; one folder for every scene.

The references are the reverberant speakers, as its authors' TIGER scores them.
"""

from __future__ import annotations

from pathlib import Path

from sepcli.evaluation.datasets.base import Dataset, Evidence
from sepcli.evaluation.datasets.sound import Track
from sepcli.evaluation.datasets.stems import FileItem

SPLITS = ("test", "val", "train")
MIXTURE = "mix"


def items(root: Path, split: str) -> list[FileItem]:
    """The scenes of a split, in folders of any depth; a folder may hold several, numbered."""
    folder = root / split
    paths = sorted(folder.rglob(f"{MIXTURE}*.wav"))
    return [
        FileItem(
            path.relative_to(folder).with_suffix("").as_posix(),
            {stem: (Track(speaker(path, stem)),) for stem in ("s1", "s2")},
            Track(path),
            {"subset": split, "sources": 2.0},
        )
        for path in paths
    ]


def speaker(mixture: Path, stem: str) -> Path:
    """The reference beside a mixture: spk1_reverb, with what follows `mix` in its name."""
    return mixture.with_name(f"spk{stem[1:]}_reverb{mixture.name.removeprefix(MIXTURE)}")


def recognise(root: Path) -> Evidence | None:
    """By the references' names."""
    found = sum(1 for split in SPLITS for _ in (root / split).rglob("spk1_reverb*.wav"))
    return Evidence(0.9, f"{found} files spk1_reverb*.wav") if found else None


DATASET = Dataset(
    title="EchoSet, two speakers in noisy rooms",
    licence="unknown",
    size="unknown",
    how_to_get="Hugging Face, data set JusperLee/EchoSet",
    signature="{train,val,test}/**/{mix,spk1_reverb,spk2_reverb}*.wav",
    protocols=("echoset/pit-si-sdri",),
    splits=dict.fromkeys(SPLITS),
    recognise=recognise,
    items=items,
    home=("echoset", "EchoSet"),
)
