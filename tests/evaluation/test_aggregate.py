"""Tables from rows: what is counted, what is left out, and by what."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sepcli.evaluation.aggregate import (
    AGGREGATIONS,
    ALL_STEMS,
    aggregate,
    by_fact,
    by_stem,
    groups,
    over_songs,
)
from sepcli.evaluation.datasets.base import Fact
from sepcli.evaluation.protocols import protocols
from sepcli.evaluation.results import Row
from sepcli.evaluation.statistics import bootstrap_ci

NAN, INF = math.nan, math.inf


def row(item: str, stem: str, sdr: float, **facts: Fact) -> Row:
    return Row(item, stem, "estimate", stem, facts, (), {"sdr": sdr})


@pytest.fixture
def songs() -> list[Row]:
    """Six songs; the last has no figure for its drums."""
    rng = np.random.default_rng(0)
    rows = [
        row(f"song {n}", stem, rng.normal(5, 2)) for n in range(6) for stem in ("bass", "drums")
    ]
    return [*rows[:-1], row("song 5", "drums", NAN)]


def test_every_row_is_counted(songs: list[Row]) -> None:
    everything = aggregate(songs, "sdr")
    figures = [r.scores["sdr"] for r in songs[:-1]]
    assert (everything.valid, everything.total, everything.infinite) == (11, 12, 0)
    assert everything.mean == pytest.approx(np.mean(figures))
    assert everything.median == pytest.approx(np.median(figures))
    interval = bootstrap_ci([r.scores["sdr"] for r in songs], [r.item for r in songs])
    assert (everything.low, everything.high) == (interval.low, interval.high)


def test_nothing_undefined_becomes_a_number(songs: list[Row]) -> None:
    missing = aggregate(songs, "si_sdr")
    assert (missing.valid, missing.total) == (0, 12)
    assert all(math.isnan(v) for v in (missing.mean, missing.low, missing.high, missing.median))
    assert aggregate([], "sdr").total == 0


def test_infinite_figures_are_figures() -> None:
    rows = [row(f"{n}", "s", value) for n, value in enumerate([1, 2, 3, 4, 5, INF, NAN])]
    counted = aggregate(rows, "sdr")
    assert (counted.valid, counted.total, counted.infinite) == (6, 7, 1)
    assert counted.mean == INF
    assert counted.median == 3.5
    both = aggregate([*rows, row("8", "s", -INF)], "sdr")
    assert both.infinite == 2
    assert math.isnan(both.mean)


def test_stems_and_all_of_them(songs: list[Row]) -> None:
    table = by_stem(songs, "sdr")
    assert list(table) == [ALL_STEMS, "bass", "drums"]
    assert (table["bass"].total, table["drums"].total) == (6, 6)
    assert table["drums"].valid == 5
    assert table[ALL_STEMS] == aggregate(songs, "sdr")
    assert table["bass"].mean == pytest.approx(np.mean([r.scores["sdr"] for r in songs[::2]]))


def test_ways_to_aggregate() -> None:
    rows = [
        row("a", "s1", 1, **{"class": "dog"}),
        row("a", "s2", 3, **{"class": "rain"}),
        row("b", "s1", 5, **{"class": "dog"}),
        row("c", "s1", 12, **{"class": "dog"}),
        row("c", "s2", NAN, **{"class": "wind"}),
    ]
    figures = {name: way(rows, "sdr").point for name, way in AGGREGATIONS.items()}
    assert figures == {
        "mean over items": pytest.approx(21 / 4),
        "median over items": 4,
        "mean of class means": pytest.approx((6 + 3) / 2),
        "mean of class medians": pytest.approx((5 + 3) / 2),
        "mean over stems, then items": pytest.approx((2 + 5 + 12) / 3),
    }


def test_every_protocol_aggregates_in_a_known_way() -> None:
    assert {protocol.aggregate for protocol in protocols().values()} <= set(AGGREGATIONS)


def test_without_classes_a_stem_is_one() -> None:
    rows = [row("a", "dog", 1), row("b", "dog", 2), row("b", "rain", 5)]
    assert AGGREGATIONS["mean of class means"](rows, "sdr").point == pytest.approx((1.5 + 5) / 2)


def test_intervals_of_classes_are_over_classes() -> None:
    rng = np.random.default_rng(1)
    rows = [
        row(f"{c} {n}", "s", c + rng.normal(0, 1), **{"class": f"{c}"})
        for c in range(10)
        for n in range(30)
    ]
    means, items = (
        AGGREGATIONS[w](rows, "sdr") for w in ("mean of class means", "mean over items")
    )
    assert means.point == pytest.approx(items.point)
    assert means.high - means.low > 4 * (items.high - items.low)


def test_songs_weigh_alike_however_many_stems_they_have(songs: list[Row]) -> None:
    lone = [*songs, row("song 6", "bass", 100)]
    means = [np.mean([r.scores["sdr"] for r in songs[2 * n : 2 * n + 2]]) for n in range(5)]
    assert over_songs(lone, "sdr").point == pytest.approx(
        np.mean([*means, songs[10].scores["sdr"], 100])
    )


def test_infinities_of_both_signs_have_no_class_mean() -> None:
    rows = [row("a", "dog", INF), row("b", "dog", -INF), row("c", "rain", 2)]
    assert AGGREGATIONS["mean of class means"](rows, "sdr").point == 2
    assert AGGREGATIONS["mean of class medians"](rows, "sdr").point == 2


def test_facts_that_make_tables() -> None:
    rows = [
        row(f"{n}", "s", n, genre="rock" if n % 2 else "jazz", title=f"title {n}", rate=44100.0)
        for n in range(6)
    ]
    tables = by_fact(rows, ["sdr", "si_sdr"])
    assert list(tables) == ["genre"]  # a title is a name, and the rate is one for all
    assert list(tables["genre"]) == ["jazz", "rock"]
    assert tables["genre"]["jazz"]["sdr"].mean == pytest.approx(2)
    assert tables["genre"]["rock"]["sdr"].mean == pytest.approx(3)
    assert tables["genre"]["rock"]["si_sdr"].valid == 0


def test_numbers_are_grouped_by_size() -> None:
    rows = [row(f"{n}", "s", n, snr=float(n - 15), sources=2 + n % 3) for n in range(31)]
    assert list(groups(rows, "snr"))[:2] == ["-15 to -10", "-10 to -5"]
    assert [len(members) for members in groups(rows, "snr").values()] == [5] * 6 + [1]
    assert list(groups(rows, "sources")) == ["2", "3", "4"]


@pytest.mark.parametrize("nothing", [NAN, "", INF])
def test_rows_without_a_fact_are_left_out(nothing: Fact) -> None:
    rows = [row(f"{n}", "s", n, snr=float(n % 2)) for n in range(8)]
    rows += [row("8", "s", 9, snr=nothing), row("9", "s", 9)]
    assert [len(members) for members in groups(rows, "snr").values()] == [4, 4]
    assert groups(rows, "unknown") == {}


def test_words_among_numbers_make_words() -> None:
    rows = [row(f"{n}", "s", n, snr=10.0 if n % 2 else "clean") for n in range(8)]
    assert list(groups(rows, "snr")) == ["10.0", "clean"]
