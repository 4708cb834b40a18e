"""Two systems on the same items."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from sepcli.errors import UsageError
from sepcli.evaluation.aggregate import ALL_STEMS
from sepcli.evaluation.compare import (
    Comparison,
    Difference,
    common_columns,
    compare,
    compare_runs,
)
from sepcli.evaluation.results import Row
from sepcli.evaluation.runs import Run
from sepcli.evaluation.statistics import (
    bootstrap_ci,
    cohens_d,
    holm,
    rank_biserial,
    sign_flip_test,
    wilcoxon_test,
)

NAN, INF = math.nan, math.inf
STEMS = ("bass", "drums")


def row(item: str, stem: str, system: str = "estimate", **scores: float) -> Row:
    return Row(item, stem, system, stem, {}, (), scores)


def songs(gain: float, seed: int, count: int = 20) -> list[Row]:
    """Figures of a system, on songs that are as easy or hard for every system."""
    ease, noise = np.random.default_rng(0), np.random.default_rng(seed)
    return [
        row(f"song {n}", stem, sdr=ease.normal(6, 3) + gain + noise.normal(0, 0.5), lufs=gain)
        for n in range(count)
        for stem in STEMS
    ]


def run_of(rows: Sequence[Row], protocol: str = "p", items: str = "i", name: str = "run") -> Run:
    columns = {"sdr": {"higher_is_better": True}, "lufs": {"higher_is_better": None}}
    summary = {"protocol": {"id": protocol}, "items_hash": items, "columns": columns}
    summary["headline"] = {"column": "sdr"}
    return Run(name, tuple(rows), summary)


def only(comparison: Comparison, stem: str, column: str = "sdr") -> Difference:
    [found] = [d for d in comparison.differences if (d.stem, d.column) == (stem, column)]
    return found


def test_every_figure_is_that_of_the_differences() -> None:
    first, second = songs(1, 1), songs(0, 2)
    result = compare(first, second, ["sdr"])
    assert [d.stem for d in result.differences] == [ALL_STEMS, *STEMS]
    gaps = np.array([a.scores["sdr"] - b.scores["sdr"] for a, b in zip(first, second, strict=True)])
    items = [a.item for a in first]
    everything = only(result, ALL_STEMS)
    assert everything.pairs == 40
    assert everything.mean == bootstrap_ci(gaps, items)
    assert everything.sign_flip == sign_flip_test(gaps, items)
    assert everything.wilcoxon == wilcoxon_test(gaps, items)
    assert everything.cohens_d == cohens_d(gaps, items)
    assert everything.rank_biserial == rank_biserial(gaps)
    assert everything.win_rate == np.mean(gaps > 0)
    assert only(result, "drums").mean.point == pytest.approx(gaps[1::2].mean())
    assert everything.mean.low < 1 < everything.mean.high


def test_p_values_are_corrected_for_all_rows_of_the_table() -> None:
    result = compare(songs(0.2, 1), songs(0, 2), ["sdr", "lufs"])
    flips = [d.sign_flip for d in result.differences]
    ranks = [d.wilcoxon for d in result.differences]
    assert len(flips) == 6
    assert [d.sign_flip_holm for d in result.differences] == holm(flips).tolist()
    assert [d.wilcoxon_holm for d in result.differences] == holm(ranks).tolist()
    assert flips != ranks


def test_exchanged_systems_give_the_opposite() -> None:
    there, back = (
        compare(*pair, ["sdr"]) for pair in [(songs(1, 1), songs(0, 2)), (songs(0, 2), songs(1, 1))]
    )
    a, b = only(there, "bass"), only(back, "bass")
    assert a.mean.point == pytest.approx(-b.mean.point)
    assert a.win_rate == 1 - b.win_rate
    assert a.cohens_d == pytest.approx(-b.cohens_d)
    assert a.sign_flip == pytest.approx(b.sign_flip, abs=0.01)


def test_the_order_of_rows_changes_nothing() -> None:
    first, second = songs(1, 1), songs(0, 2)
    assert compare(first[::-1], second, ["sdr"]) == compare(first, second, ["sdr"])


def test_what_wins_depends_on_the_column() -> None:
    first, second = [[row(f"{n}", "s", x=n + g) for n in range(4)] for g in (1, 0)]
    rates = [compare(first, second, ["x"], {"x": b}).differences[0].win_rate for b in (True, False)]
    assert rates == [1, 0]
    assert math.isnan(compare(first, second, ["x"], {"x": None}).differences[0].win_rate)


def test_what_is_left_out_is_counted() -> None:
    first = [
        row("a", "s", sdr=1),
        row("b", "s", sdr=NAN),
        row("c", "s", sdr=2),
        row("d", "s", sdr=5),
    ]
    second = [row("a", "s", sdr=0), row("b", "s", sdr=1), row("c", "s"), row("e", "s", sdr=1)]
    second += [row("f", "s", sdr=1), row("d", "s", "mixture", sdr=0)]
    result = compare(first, second, ["sdr"])
    [found] = result.differences  # one stem needs no row for all
    assert (found.stem, found.pairs, found.dropped) == ("s", 1, 2)
    assert found.mean.point == 1
    assert (result.only_first, result.only_second) == (1, 2)


def test_equal_infinite_figures_are_a_tie() -> None:
    first = [row("a", "s", sdr=INF), row("b", "s", sdr=INF)]
    second = [row("a", "s", sdr=INF), row("b", "s", sdr=3)]
    [found] = compare(first, second, ["sdr"]).differences
    assert (found.pairs, found.dropped, found.win_rate) == (2, 0, 0.75)
    assert found.mean.point == INF


def test_a_system_against_itself() -> None:
    rows = songs(0, 1)
    for found in compare(rows, rows, ["sdr"]).differences:
        assert (found.mean.point, found.mean.low, found.mean.high) == (0, 0, 0)
        assert (found.sign_flip, found.wilcoxon, found.win_rate) == (1, 1, 0.5)


def test_folders_that_a_published_file_leaves_out() -> None:
    first = [row("test/a", "s", sdr=2), row("test/b", "s", sdr=3)]
    second = [row("a", "s", sdr=1), row("b", "s", sdr=1)]
    [found] = compare(first, second, ["sdr"]).differences
    assert (found.pairs, found.mean.point) == (2, 1.5)
    twice = [*first, row("train/a", "s", sdr=0)]
    with pytest.raises(UsageError, match="cannot be told apart") as caught:
        compare(twice, second, ["sdr"])
    assert "test/a s; a s" in caught.value.remedy


def test_a_file_that_names_no_stem() -> None:
    first, second = [row("a", "s1", sdr=2)], [row("a", "", sdr=1)]
    [found] = compare(first, second, ["sdr"]).differences
    assert (found.stem, found.mean.point) == ("s1", 1)
    with pytest.raises(UsageError, match="told apart"):
        compare([*first, row("a", "s2", sdr=3)], second, ["sdr"])


def test_nothing_in_common() -> None:
    for second in ([row("b", "s", sdr=1)], [row("a", "t", sdr=1)], []):
        with pytest.raises(UsageError, match="no item and stem"):
            compare([row("a", "s", sdr=1)], second, ["sdr"])


def test_columns() -> None:
    first, second = [row("a", "s", sdr=1, stoi=1, sar=0)], [row("a", "s", stoi=1, sdr=1, sir=2)]
    assert common_columns(first, second, None) == ("sdr", "stoi")
    assert common_columns(first, second, ["stoi"]) == ("stoi",)
    with pytest.raises(UsageError, match="not in both: sar") as caught:
        common_columns(first, second, ["sar", "sdr"])
    assert caught.value.remedy == "the columns are sdr, stoi, sar and stoi, sdr, sir"
    with pytest.raises(UsageError, match="no column in common"):
        common_columns(first, [row("a", "s")], None)


def test_runs() -> None:
    result = compare_runs(run_of(songs(1, 1), name="new"), run_of(songs(0, 2), name="old"))
    assert (result.first, result.second, result.notices) == ("new", "old", ())
    assert [d.column for d in result.differences] == ["sdr"] * 3
    both = compare_runs(run_of(songs(1, 1)), run_of(songs(0, 2)), ["sdr", "lufs"])
    assert len(both.differences) == 6
    assert math.isnan(only(both, "bass", "lufs").win_rate)


def test_the_last_bits_of_a_network_are_no_difference() -> None:
    first = songs(1, 1)
    second = [replace(r, scores={"sdr": r.scores["sdr"] + 9e-6}) for r in first]
    [whole, *_] = compare(first, second, ["sdr"]).differences
    assert whole.mean.point == 0
    assert whole.win_rate == 0.5
    second = [replace(r, scores={"sdr": r.scores["sdr"] - 2e-5}) for r in first]
    assert compare(first, second, ["sdr"]).differences[0].win_rate == 1


def test_different_protocols_are_refused() -> None:
    first, second = run_of(songs(1, 1), "musdb/csdr"), run_of(songs(0, 2), "musdb/usdr")
    with pytest.raises(UsageError, match="protocols differ: musdb/csdr and musdb/usdr"):
        compare_runs(first, second)
    assert compare_runs(first, second, force=True).notices == (
        "protocols differ: musdb/csdr and musdb/usdr",
    )


def test_what_restricts_the_meaning_is_said() -> None:
    first, second = run_of(songs(1, 1)), run_of(songs(0, 2)[:20], items="others")
    result = compare_runs(first, second)
    assert "not the same items" in result.notices[0]
    assert result.only_first == 20
    published = Run("theirs.csv", tuple(songs(0, 2)), None)
    for pair in [(first, published), (published, first)]:
        [notice] = compare_runs(*pair).notices
        assert notice.endswith("theirs.csv")
    assert compare_runs(published, published).differences
