"""Every data set that sepcli knows, by name."""

from __future__ import annotations

from sepcli.evaluation.datasets import (
    audiocaps,
    audiosep,
    dcase2024_t9,
    dnr2,
    dnr3,
    echoset,
    esc,
    folder,
    hive,
    librimix,
    lrs2_2mix,
    manifest,
    moisesdb,
    musdb18,
    musdb18hq,
    music,
    slakh,
    vggsound,
    wham,
    wsj0_2mix,
    zero_db,
)
from sepcli.evaluation.datasets.base import Dataset

DATASETS: dict[str, Dataset] = {
    **zero_db.DATASETS,
    "musdb18": musdb18.DATASET,
    "musdb18hq": musdb18hq.DATASET,
    "moisesdb": moisesdb.DATASET,
    "slakh": slakh.DATASET,
    "dnr2": dnr2.DATASET,
    "dnr3": dnr3.DATASET,
    "librimix": librimix.DATASET,
    "wham": wham.DATASET,
    "wsj0-2mix": wsj0_2mix.DATASET,
    "lrs2-2mix": lrs2_2mix.DATASET,
    "echoset": echoset.DATASET,
    **audiosep.DATASETS,
    "dcase2024-t9": dcase2024_t9.DATASET,
    "music": music.DATASET,
    "vggsound": vggsound.DATASET,
    "audiocaps": audiocaps.DATASET,
    "hive": hive.DATASET,
    **esc.DATASETS,
    "folder": folder.DATASET,
    "manifest": manifest.DATASET,
}

ALIASES: dict[str, tuple[str, ...]] = {
    "musdb": ("musdb18hq", "musdb18"),
    "dnr": ("dnr3", "dnr2"),
    "whamr": ("wham",),
    "libri2mix": ("librimix",),
    "libri3mix": ("librimix",),
    "slakh2100": ("slakh",),
}
"""Another name -> data sets, of which the first is meant that is there."""
