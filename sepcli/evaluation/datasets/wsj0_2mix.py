"""wsj0-2mix: two speakers of the Wall Street Journal corpus."""

from __future__ import annotations

import re
from pathlib import Path

from sepcli.evaluation.datasets.base import Dataset, Evidence
from sepcli.evaluation.datasets.speakers import splits_with, two_speakers, variant

SPLITS = ("tt", "cv", "tr")
UTTERANCES = re.compile(r"[0-9a-z]{8}_-?[\d.]+_[0-9a-z]{8}_-?[\d.]+")


def recognise(root: Path) -> Evidence | None:
    """By the folders, and by file names of two utterances with their levels in dB."""
    place = variant(root)
    found = splits_with(place, SPLITS, ["mix"])
    if not found:
        return None
    files = (place / found[0] / "mix").glob("*.wav")
    if any(UTTERANCES.fullmatch(path.stem) for path in files):
        return Evidence(0.9, "mix, s1 and s2, with WSJ0's utterances in the file names")
    return Evidence(0.3, "mix, s1 and s2, without WSJ0's utterances in the file names")


DATASET = Dataset(
    title="wsj0-2mix, two speakers",
    licence="WSJ0 is sold by the LDC",
    size="unknown",
    how_to_get="made from WSJ0 by the authors' scripts",
    signature="wav{8k,16k}/{min,max}/{tr,cv,tt}/{mix,s1,s2}/<utterance>_<dB>_<utterance>_<dB>.wav",
    protocols=("wsj0-2mix/pit-si-sdri",),
    splits=dict.fromkeys(SPLITS),
    recognise=recognise,
    items=two_speakers,
    home=("wsj0-2mix", "wsj0-mix/2speakers"),
)
