"""An item's figures: what the protocol does to its audio, and what rows say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from sepcli.errors import ItemError
from sepcli.evaluation.datasets.base import Example, Fact
from sepcli.evaluation.metrics import sdr, si_sdr
from sepcli.evaluation.protocols import Protocol, find_protocol
from sepcli.evaluation.results import Row
from sepcli.evaluation.scoring import Settings, facts_of, prepare, score
from sepcli.evaluation.systems import Made

RATE = 8000


@dataclass(frozen=True)
class Given:
    """An item whose audio is at hand."""

    example: Example
    facts: Mapping[str, Fact] = field(default_factory=dict)
    queries: Mapping[str, str] = field(default_factory=dict)
    name: str = "item"
    files: tuple[Path, ...] = ()

    @property
    def stems(self) -> tuple[str, ...]:
        return tuple(self.example.references)

    def read(self) -> Example:
        return self.example


@pytest.fixture
def example() -> Example:
    rng = np.random.default_rng(2)
    a, b = 0.1 * rng.standard_normal((2, 2, 3 * RATE))
    return Example(RATE, a + b, {"a": a, "b": b})


def settings(*metrics: str, references: bool = False, **changes: object) -> Settings:
    base = find_protocol("folder/si-sdr").model_dump()
    return Settings(Protocol(**{**base, **changes}), metrics or ("sdr",), references)


def rows_of(item: Given, estimates: dict[str, np.ndarray], given: Settings) -> dict[str, Row]:
    prepared = prepare(item, given)
    rows = score(item, prepared, Made({"estimate": estimates}), given, "key")
    return {row.stem: row for row in rows if row.system == "estimate"}


def test_prepared_as_the_protocol_says(example: Example) -> None:
    item = Given(example)
    plain = prepare(item, settings())
    assert plain.rate == RATE
    assert np.array_equal(plain.mixture, example.mixture)
    mono = prepare(item, settings(mono=True, stems=("b",)))
    assert list(mono.references) == ["b"]
    assert np.array_equal(mono.references["b"], example.references["b"].mean(axis=0)[None])
    assert np.array_equal(mono.mixture, example.mixture.mean(axis=0)[None])


def test_resampling_keeps_a_tone(example: Example) -> None:
    time = np.arange(3 * RATE) / RATE
    tone = np.stack([np.sin(2 * np.pi * 500 * time)] * 2)
    changed = prepare(Given(replace(example, mixture=tone)), settings(rate=16_000))
    assert changed.rate == 16_000
    assert changed.mixture.shape == (2, 6 * RATE)
    wanted = np.sin(2 * np.pi * 500 * np.arange(6 * RATE) / (2 * RATE))
    assert np.abs(changed.mixture[0] - wanted)[1000:-1000].max() < 1e-4
    assert {wave.shape for wave in changed.references.values()} == {(2, 6 * RATE)}


def test_a_missing_reference_is_an_item_error(example: Example) -> None:
    with pytest.raises(ItemError, match="item has no reference of vocals"):
        prepare(Given(example), settings(stems=("a", "vocals")))


def test_rows_hold_the_metrics(example: Example) -> None:
    estimates = {"a": 0.9 * example.references["a"], "b": example.mixture}
    rows = rows_of(Given(example), estimates, settings("sdr", "si_sdr"))
    assert rows["a"].scores["sdr"] == pytest.approx(20.0)
    assert rows["b"].scores["sdri"] == pytest.approx(0.0, abs=1e-9)
    wanted = si_sdr.si_sdr(example.references["b"], example.mixture)
    assert rows["b"].scores["si_sdr"] == pytest.approx(wanted)
    assert rows["a"].key == "key"
    assert rows["a"].estimate == "a"


def test_a_permutation_is_found_and_told(example: Example) -> None:
    estimates = {"s1": 0.9 * example.references["b"], "s2": 0.5 * example.references["a"]}
    rows = rows_of(Given(example), estimates, settings("sdr", permutation="si_sdr"))
    assert rows["a"].estimate == "s2"
    assert rows["b"].scores["sdr"] == pytest.approx(20.0)


def test_frames_are_condensed_to_their_median_and_counted(example: Example) -> None:
    gains = np.repeat([0.9, 0.99, 0.9999], RATE)  # 20, 40 and 80 dB
    estimates = {"a": gains * example.references["a"], "b": example.mixture}
    row = rows_of(Given(example), estimates, settings("csdr"))["a"]
    assert row.scores["csdr"] == pytest.approx(40.0, abs=1e-6)
    assert row.frames["csdr"] == (3, 3)
    silent = example.references["a"].copy()
    silent[:, RATE:] = 0
    other = Given(Example(RATE, example.mixture, {"a": silent, "b": example.references["b"]}))
    row = rows_of(other, {**estimates, "a": gains * silent}, settings("csdr"))["a"]
    assert row.frames["csdr"] == (1, 3)
    assert row.scores["csdr"] == pytest.approx(20.0, abs=1e-6)


def test_flags_name_what_makes_figures_undefined(example: Example) -> None:
    references = {"a": 0 * example.references["a"], "b": example.references["b"]}
    item = Given(Example(RATE, example.mixture, references))
    rows = rows_of(item, {"a": example.mixture, "b": references["b"]}, settings())
    assert rows["a"].flags == ("ref_silent",)
    assert np.isnan(rows["a"].scores["sdr"])
    assert rows["b"].flags == ("perfect",)
    assert rows["b"].scores["sdr"] == np.inf
    short = {name: wave[:, : RATE // 2] for name, wave in example.references.items()}
    item = Given(Example(RATE, example.mixture[:, : RATE // 2], short))
    rows = rows_of(item, {"a": 0 * short["a"], "b": 0.5 * short["b"]}, settings())
    assert rows["a"].flags == ("est_silent", "short")


def test_dependent_references_are_flagged(example: Example) -> None:
    same = {"a": example.references["a"], "b": example.references["a"]}
    item = Given(Example(RATE, example.mixture, same))
    rows = rows_of(item, example.references, settings("bss_v4"))
    assert rows["b"].flags == ("ill_conditioned",)
    rows = rows_of(Given(example), {k: 0.5 * v for k, v in same.items()}, settings("bss_v4"))
    assert rows["b"].flags == ()


def test_facts_of_other_stems_are_left_out() -> None:
    facts = {"snr": 3.0, "class:a": "dog", "class:b": "cat"}
    assert facts_of(facts, "a") == {"snr": 3.0, "class": "dog"}


def test_reference_systems_bound_the_figures(example: Example) -> None:
    given = settings("sdr", references=True)
    prepared = prepare(Given(example), given)
    rows = score(Given(example), prepared, Made({}), given, "")
    mean = {
        system: np.mean([row.scores["sdr"] for row in rows if row.system == system])
        for system in dict.fromkeys(row.system for row in rows)
    }
    assert mean["silence"] == 0
    assert mean["mixture"] == pytest.approx(0, abs=0.2)
    assert mean["oracle-irm"] > 5
    assert sdr.sdr(prepared.references["a"], prepared.mixture / 2) == pytest.approx(
        next(r.scores["sdr"] for r in rows if r.system == "mixture-over-n" and r.stem == "a")
    )


def test_oracles_know_of_what_is_not_scored(example: Example) -> None:
    """One reference of two sources: its ideal mask must not be the whole mixture."""
    whole = settings("sdr", references=True)
    alone = Settings(whole.protocol, ("sdr",), references=True, stems=("a",))
    figures = []
    for given in (whole, alone):
        rows = score(Given(example), prepare(Given(example), given), Made({}), given, "")
        figures.append({row.system: row.scores["sdr"] for row in rows if row.stem == "a"})
    assert figures[1] == pytest.approx(figures[0])
    assert {row.stem for row in rows} == {"a"}


def test_presence_stands_beside_the_figures(example: Example) -> None:
    given = settings()
    made = Made({"estimate": example.references}, presence={"a": 0.7})
    rows = score(Given(example), prepare(Given(example), given), made, given, "")
    assert [row.scores.get("presence") for row in rows] == [0.7, None]
