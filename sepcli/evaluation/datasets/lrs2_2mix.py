"""LRS2-2Mix: two speakers of British television; and any folder of its style."""

from __future__ import annotations

from pathlib import Path

from sepcli.evaluation.datasets.base import Dataset, Evidence
from sepcli.evaluation.datasets.speakers import splits_with, two_speakers, variant

SPLITS = ("tt", "cv", "tr")


def recognise(root: Path) -> Evidence | None:
    """By the folders, which many sets of two speakers share."""
    found = splits_with(variant(root), SPLITS, ["mix"])
    if not found:
        return None
    return Evidence(0.5, f"mix, s1 and s2 in {', '.join(found)}, as other sets have them")


DATASET = Dataset(
    title="LRS2-2Mix, two speakers of British television",
    licence="its card says Apache-2.0; the BBC's terms of LRS2 apply underneath",
    size="16.5 GB",
    how_to_get="Hugging Face, lrs2.tar.gz",
    signature="{tr,cv,tt}/{mix,s1,s2}/<name>.wav",
    protocols=("lrs2-2mix/pit-si-sdri",),
    splits=dict.fromkeys(SPLITS),
    recognise=recognise,
    items=two_speakers,
    home=("lrs2-2mix", "lrs2_rebuild/audio", "lrs2"),
)
