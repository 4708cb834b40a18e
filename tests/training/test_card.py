"""A model's card names everyone whose recordings were trained on, and nobody else."""

from __future__ import annotations

from pathlib import Path

from sepcli.training.card import card, credits
from sepcli.training.config import CorpusConfig, SeparatorConfig
from sepcli.training.corpora.clip import Clip, Split


def clip(credit: str, licence: str, split: Split = "train") -> Clip:
    return Clip(Path("x.wav"), ("dog",), credit, split, licence, credit, ship=True)


CLIPS = [
    clip("Ann", "CC0"),
    clip("Ann", "CC0"),
    clip("Bob", "CC-BY"),
    clip("Eve", "", "validation"),
]
ENTRY = {
    "summary": "a band-unet",
    "architecture": "band-unet",
    "arguments": {"hidden": 8, "widths": [4, 6]},
    "licence": {"code": "Apache-2.0", "weights": "CC-BY-SA-4.0"},
}


def test_credits_by_licence_with_counts() -> None:
    lines = credits(CLIPS[:3]).splitlines()
    assert lines.index("### CC-BY") < lines.index("- Bob (1 clip)") < lines.index("### CC0")
    assert "- Ann (2 clips)" in lines


def test_the_card_tells_what_was_done() -> None:
    config = SeparatorConfig(
        kind="separator",
        corpora=[CorpusConfig(kind="esc10", root=Path("esc10"))],
        clap="model:everyday",
        steps=7,
        batch=3,
        seconds=2,
        lr=1e-3,
    )
    page = card(ENTRY, config, CLIPS, {"val_snr": 1.25})
    assert "band-unet, hidden 8, widths [4, 6]" in page
    assert "supervised; 7 steps of 3 mixtures of 2 s, seed 0" in page
    assert "3 clips of 1 kinds" in page
    assert "- val_snr: 1.250" in page
    assert "Eve" not in page  # validated with, not trained on
