"""WHAM! and WHAMR!: wsj0-2mix in noise, and in noisy rooms.

WHAMR! has every role twice, anechoic and reverberant. From a reverberant mixture, the anechoic
speakers are asked for: separation and dereverberation at once.
"""

from __future__ import annotations

from pathlib import Path

from sepcli.evaluation.datasets.base import Dataset, Evidence
from sepcli.evaluation.datasets.speakers import evidence, mixtures, named, variant
from sepcli.evaluation.datasets.stems import FileItem

FOLDERS = ("tt", "cv", "tr")
KINDS = {
    "": "mix_clean",
    "-noisy": "mix_both",
    "-single": "mix_single",
    "-reverb": "mix_clean_reverb",
    "-reverb-noisy": "mix_both_reverb",
}
SIZES = {f"{folder}{kind}": None for folder in FOLDERS for kind in KINDS}


def items(root: Path, split: str) -> list[FileItem]:
    """The mixtures of a split; of `-single`, one speaker in noise."""
    subset = split[:2]
    kind = split.removeprefix(subset)
    folder = variant(root) / subset
    dry = (folder / "s1_anechoic").is_dir()
    mixture = KINDS[kind]
    if dry and not mixture.endswith("_reverb"):
        mixture += "_anechoic"
    speakers = named(folder, "s{}_anechoic" if dry else "s{}", 1 if kind == "-single" else 2)
    return mixtures(folder, mixture, speakers, {"subset": subset})


def recognise(root: Path) -> Evidence | None:
    """By the names of the splits and of the folders in them."""
    roles = [name + end for name in KINDS.values() for end in ("", "_anechoic")]
    return evidence(root, FOLDERS, roles)


DATASET = Dataset(
    title="WHAM! and WHAMR!, two speakers, with noise and reverberation",
    licence="speech: WSJ0, sold by the LDC; noise CC BY-NC 4.0",
    size="unknown",
    how_to_get="made from WSJ0 and the WHAM! noise by the authors' scripts",
    signature="wav{8k,16k}/{min,max}/{tr,cv,tt}/{s1,s2,noise,mix_clean,mix_both,mix_single}",
    protocols=("wham/pit-si-sdri",),
    splits=SIZES,
    recognise=recognise,
    items=items,
    home=("wham", "whamr", "wham/2speakers_wham", "wham_wav"),
)
