"""A run as `sepcli eval` leaves it: figures made up, sounds real, some names hostile."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from sepcli.errors import ItemError
from sepcli.evaluation.datasets.base import Example, Fact
from sepcli.evaluation.report.listening import AudioOf
from sepcli.evaluation.results import Row
from sepcli.evaluation.scene import Array

SCRIPT = "<script>alert(1)</script>"
FORMULA = "=HYPERLINK(1)|a_b"
CLIPS = Path(__file__).parents[2] / "data" / "esc10"
SOUNDS = {
    "dog bark": "4-184575-A.ogg",
    "rain": "3-142005-A.ogg",
    "clock tick": "3-143933-A.ogg",
    "helicopter": "3-150979-A.ogg",
}
COLUMNS = {
    "sdri": {"unit": "dB", "higher_is_better": True},
    "sdr": {"unit": "dB", "higher_is_better": True},
    "si_sdri": {"unit": "dB", "higher_is_better": True},
    "loudness_error": {"unit": "LU", "higher_is_better": None},
    "stoi": {"unit": "", "higher_is_better": True},
}
PAIRS = [("dog bark", "rain"), ("clock tick", "helicopter"), ("dog bark", "clock tick")]


def aggregate(values: Sequence[float]) -> dict[str, Any]:
    """As a summary has it; the interval is the normal one."""
    finite = [value for value in values if math.isfinite(value)]
    counts = {
        "valid": sum(not math.isnan(value) for value in values),
        "total": len(values),
        "infinite": sum(math.isinf(value) for value in values),
    }
    if not finite:
        return counts | {"mean": None, "low": None, "high": None, "median": None}
    half = 1.96 * float(np.std(finite)) / math.sqrt(len(finite))
    mean = float(np.mean(finite))
    median = float(np.median(finite))
    return counts | {"mean": mean, "low": mean - half, "high": mean + half, "median": median}


def item_name(n: int) -> str:
    return {5: SCRIPT, 6: FORMULA}.get(n, f"mixtures/{n:03d}")


def _scores(rng: np.random.Generator, before: float, ease: float) -> dict[str, float]:
    gain = float(ease - 0.35 * before + rng.normal(0, 2.4))
    return {
        "sdri": gain,
        "sdr": before + gain,
        "si_sdri": gain - abs(float(rng.normal(0.4, 0.5))),
        "loudness_error": float(rng.normal(-0.4, 1.0)),
        "stoi": float(np.clip(0.72 + 0.02 * gain + rng.normal(0, 0.05), 0, 1)),
    }


def _rows(items: int) -> list[Row]:
    rng = np.random.default_rng(4)
    ease = {"dog bark": 9.5, "rain": 6.1, "clock tick": 8.0, "helicopter": 5.2}
    rows = []
    for n in range(items):
        pair = PAIRS[n % len(PAIRS)]
        snr = float(rng.choice([-10, -5, 0, 5, 10]))
        for stem, before in zip(pair, (snr, 0.0 - snr), strict=True):
            facts = {"class": stem, "snr": before}
            scores, flags = _scores(rng, before, ease[stem]), ()
            if (n, stem) == (9, "dog bark"):
                scores, flags = dict.fromkeys(COLUMNS, math.nan), ("ref_silent",)
            if (n, stem) == (10, "clock tick"):
                scores, flags = scores | {"sdri": math.inf, "sdr": math.inf}, ("perfect",)
            name = item_name(n)
            frames = {"sdr": (4, 5)}
            rows.append(Row(name, stem, "estimate", stem, facts, flags, scores, frames))
            unprocessed = {"sdri": 0.0, "sdr": before}
            rows.append(Row(name, stem, "mixture", "mixture", facts, (), unprocessed))
    return rows


def _columns(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    return {
        column: aggregate([row.scores[column] for row in rows])
        for column in COLUMNS
        if rows and all(column in row.scores for row in rows)
    }


def _by(rows: Sequence[Row], key: Callable[[Row], Fact]) -> dict[str, dict[str, Any]]:
    names = sorted({key(row) for row in rows})
    return {str(name): _columns([row for row in rows if key(row) == name]) for name in names}


def summary_of(rows: Sequence[Row]) -> dict[str, Any]:
    """The summary that such rows have."""
    mine = [row for row in rows if row.system == "estimate"]
    stems = _by(mine, lambda row: row.stem)
    everything = _columns(mine)
    sdri = everything["sdri"]
    return {
        "schema": 1,
        "sepcli": "0.1.0",
        "notes": ["NOT A BENCHMARK RESULT: --limit 48", "PARTIAL 48/320"],
        "protocol": {
            "digest": "0123abcd",
            "id": "lass/audiosep-sdri",
            "summary": "SDR improvement of one channel at 32 kHz, energies at least 1e-10",
            "primary": "sdri",
            "aggregate": "mean over items",
            "metrics": ["sdr", "si_sdr", "loudness", "stoi"],
            "rate": 32000,
            "channels": "mono",
            "permutation": None,
            "compat": "audiosep",
            "source": "Liu et al., 2023, Separate Anything You Describe",
        },
        "dataset": {
            "name": "demo",
            "title": "ESC-10 fold 4 mixtures",
            "licence": "CC BY 3.0",
            "split": "test",
            "complete": "PARTIAL 48/320",
        },
        "items": len({row.item for row in mine}),
        "items_hash": "9f2c4e0d51b7a8e6",
        "system": {"kind": "model", "name": "everyday", "fingerprint": "c1d90be7a45f2238"},
        "seed": 0,
        "set": {},
        "command": "sepcli eval --dataset demo --protocol lass/audiosep-sdri",
        "columns": COLUMNS,
        "stems": {
            column: {"all": everything[column]} | {s: each[column] for s, each in stems.items()}
            for column in COLUMNS
        },
        "headline": {"column": "sdri", "value": sdri["mean"], "how": "mean over items"},
        "aggregations": {
            column: {
                "mean": everything[column]["mean"],
                "median": everything[column]["median"],
                "mean of class means": everything[column]["mean"],
            }
            for column in ("sdri", "sdr")
        },
        "groups": {
            "class": _by(mine, lambda row: row.facts["class"]),
            "snr": _by(mine, lambda row: row.facts["snr"]),
        },
        "reference_systems": {
            "mixture": _columns([row for row in rows if row.system == "mixture"]),
            "oracle-irm": {"sdri": aggregate([14.1, 15.2, 16.0]), "sdr": aggregate([14.0, 15.1])},
            "silence": {"sdr": aggregate([0.0, 0.0]), "sdri": aggregate([math.nan])},
        },
        "flags": {"ref_silent": 1, "perfect": 1},
        "failures": [
            {"item": "mixtures/<b>017</b>", "error": "no estimate of rain", "help": "make it"}
        ],
        "query": {
            "presence_auc": aggregate([0.93, 0.95, 0.97]),
            "roc": [[0, 0], [0.02, 0.61], [0.08, 0.82], [0.2, 0.93], [0.5, 0.99], [1, 1]],
            "absent_db": aggregate([-31.0, -24.5, -40.2]),
            "paraphrase_loss": {"sdri": aggregate([0.3, 0.6, 0.4])},
            "confusion": [
                {"asked": "dog bark", "heard": "rain", "db": -18.2},
                {"asked": "rain", "heard": "helicopter", "db": -6.4},
            ],
        },
    }


@pytest.fixture(scope="session")
def rows() -> list[Row]:
    return _rows(48)


@pytest.fixture(scope="session")
def few_rows() -> list[Row]:
    """The first items, hostile names among them: pages of these are quick to make."""
    return _rows(12)


@pytest.fixture(scope="session")
def summarise() -> Callable[[Sequence[Row]], dict[str, Any]]:
    return summary_of


@pytest.fixture(scope="session")
def aggregated() -> Callable[[Sequence[float]], dict[str, Any]]:
    return aggregate


@pytest.fixture(scope="session")
def summary(rows: list[Row]) -> dict[str, Any]:
    return summary_of(rows)


@pytest.fixture(scope="session")
def audio_of(rows: list[Row]) -> AudioOf:
    """Two clips a mixture, in stereo; the estimates leak 10 %. One item has gone."""
    stems = {row.item: [r.stem for r in rows if r.item == row.item] for row in rows}
    missing = item_name(11)

    def read(item: str) -> tuple[Example, Mapping[str, Array]]:
        if item == missing:
            raise ItemError(f"cannot read {item}", "bring it back")
        references = {stem: _clip(stem) for stem in dict.fromkeys(stems[item])}
        mixture = np.sum(list(references.values()), axis=0)
        estimates = {stem: 0.9 * wave + 0.1 * mixture for stem, wave in references.items()}
        return Example(44_100, mixture, references), estimates

    return read


def _clip(stem: str) -> Array:
    wave, _ = soundfile.read(CLIPS / SOUNDS[stem], always_2d=True)
    repeated = np.resize(wave.mean(axis=1), 5 * 44_100)
    scaled = 0.1 * repeated / np.sqrt(np.mean(repeated**2))
    return np.stack([scaled, 0.7 * scaled])
