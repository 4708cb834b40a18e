"""Intervals, tests and effect sizes: against closed forms, scipy, and simulation."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sepcli.evaluation.statistics import (
    auc,
    auc_ci,
    bootstrap_ci,
    cohens_d,
    holm,
    rank_biserial,
    roc,
    sign_flip_test,
    wilcoxon_test,
    win_rate,
)
from sepcli.evaluation.statistics import bootstrap as bootstrap_file
from sepcli.evaluation.statistics import paired as paired_file

NAN, INF = math.nan, math.inf

Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray, float]]


def lognormal(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Skewness 1.75; mean exp(1/8)."""
    return rng.lognormal(0, 0.5, count), np.arange(count), math.exp(1 / 8)


def sdr_like(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Heavy tails around 8 dB, and one item in ten about 5 dB worse."""
    bad = np.where(rng.random(count) < 0.1, rng.exponential(5, count), 0)
    return 8 + 2 * rng.standard_t(5, count) - bad, np.arange(count), 7.5


def stems_of_tracks(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Four stems a track, whose skewed difficulty they share; mean 4 + 2."""
    track = rng.gamma(2, 2, (count, 1))
    rows = track + rng.gamma(1, 2, (count, 4))
    return rows.ravel(), np.repeat(np.arange(count), 4), 6.0


def names(numbers: np.ndarray) -> list[str]:
    return [f"track {n:03d}" for n in numbers]


@pytest.mark.parametrize("draw", [lognormal, sdr_like, stems_of_tracks])
@pytest.mark.parametrize("count", [20, 50, 200])
def test_the_mean_interval_covers(draw: Draw, count: int) -> None:
    rng, inside, trials = np.random.default_rng(count), 0, 400
    for seed in range(trials):
        values, tracks, mean = draw(rng, count)
        interval = bootstrap_ci(values, names(tracks), resamplings=300, seed=seed)
        inside += interval.low <= mean <= interval.high
    assert 0.92 <= inside / trials <= 0.97


@pytest.mark.parametrize("count", [20, 51])
def test_the_median_interval_covers(count: int) -> None:
    rng, inside, trials = np.random.default_rng(count), 0, 600
    for seed in range(trials):
        values = rng.lognormal(0, 1, count)
        interval = bootstrap_ci(values, resamplings=500, seed=seed, statistic="median")
        inside += interval.low <= 1 <= interval.high
    assert 0.92 <= inside / trials <= 0.97


def test_rows_taken_as_independent_would_not_cover() -> None:
    rng, inside = np.random.default_rng(0), 0
    for seed in range(200):
        values, _, mean = stems_of_tracks(rng, 50)
        interval = bootstrap_ci(values, resamplings=500, seed=seed)
        inside += interval.low <= mean <= interval.high
    assert inside / 200 < 0.85


def test_the_interval_tends_to_students() -> None:
    values = np.random.default_rng(1).normal(3, 2, 400)
    error = values.std(ddof=1) / 20
    expected = values.mean() + error * stats.t.ppf([0.05, 0.95], 399)
    got = bootstrap_ci(values, level=0.9)
    assert got.point == pytest.approx(values.mean())
    assert [got.low, got.high] == pytest.approx(expected, abs=0.06 * error)


def test_the_mean_interval_is_scipys_studentised_one() -> None:
    """The same draws, resample by resample, from scipy's moments."""
    values = np.random.default_rng(3).gamma(2, 2, 12)
    drawn = next(bootstrap_file.resamples(12, 2000, seed=5, width=12)).astype(int)
    samples = np.stack([np.repeat(np.sort(values), often) for often in drawn])
    t = np.abs(samples.mean(axis=1) - values.mean()) / stats.sem(samples, axis=1)
    expected = values.mean() + np.array([-1, 1]) * np.quantile(t, 0.95) * stats.sem(values)
    got = bootstrap_ci(values, resamplings=2000, seed=5)
    assert [got.low, got.high] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("count", [9, 10])
def test_the_median_interval_has_the_median_of_every_resample(count: int) -> None:
    values = np.sort(np.random.default_rng(4).normal(size=count))
    groups = [f"g{n // 2}" for n in range(count)]
    clusters = -(-count // 2)
    rows = [
        np.concatenate([np.repeat(values[2 * g : 2 * g + 2], int(n)) for g, n in enumerate(often)])
        for often in next(bootstrap_file.resamples(clusters, 300, seed=0, width=count))
    ]
    medians = [np.median(row) for row in rows]
    expected = np.quantile(medians, [0.1, 0.9], method="inverted_cdf")
    got = bootstrap_ci(values, groups, level=0.8, resamplings=300, statistic="median")
    assert [got.low, got.high] == pytest.approx(expected)
    assert got.point == pytest.approx(np.median(values))


@given(st.permutations(range(24)), st.sampled_from(["mean", "median"]))
@settings(max_examples=20, deadline=None)
def test_the_order_of_rows_changes_nothing(order: list[int], statistic: str) -> None:
    values = np.random.default_rng(5).normal(size=24) * 1e3 + 0.1
    groups = names(np.arange(24) // 3)
    shuffled = [groups[n] for n in order]
    kwargs = {"resamplings": 50, "statistic": statistic}
    assert bootstrap_ci(values[order], shuffled, **kwargs) == bootstrap_ci(values, groups, **kwargs)
    assert sign_flip_test(values[order], shuffled) == sign_flip_test(values, groups)


def test_blocks_change_nothing_but_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(6).normal(0.3, 1, 40)
    whole = [bootstrap_ci(values), sign_flip_test(values)]
    monkeypatch.setattr(bootstrap_file, "BLOCK", 1000)
    monkeypatch.setattr(paired_file, "BLOCK", 1000)
    blocks = [block.shape for block in bootstrap_file.resamples(40, 60, 0, 40)]
    assert blocks == [(25, 40), (25, 40), (10, 40)]
    assert bootstrap_ci(values).point == whole[0].point
    assert bootstrap_ci(values).low == pytest.approx(whole[0].low, abs=0.02)
    assert sign_flip_test(values) == pytest.approx(whole[1], abs=0.02)


def test_seeds() -> None:
    values = np.random.default_rng(7).normal(size=30)
    assert bootstrap_ci(values) == bootstrap_ci(values)
    assert bootstrap_ci(values, seed=1) != bootstrap_ci(values)


def test_what_is_missing_is_counted() -> None:
    interval = bootstrap_ci([1, NAN, 2, 3, NAN, 4, 5])
    assert (interval.point, interval.dropped) == (3, 2)
    assert interval.low < 3 < interval.high


def test_infinite_values() -> None:
    values = [1.0, 2, 3, 4, 5, 6, INF]
    mean, median = bootstrap_ci(values), bootstrap_ci(values, statistic="median")
    assert mean.point == INF
    assert math.isnan(mean.low)
    assert math.isnan(mean.high)
    assert (median.point, median.low) == (4, 2)
    assert median.high in (6, INF)
    assert math.isnan(bootstrap_ci([*values, -INF]).point)
    assert bootstrap_ci([INF] * 6, statistic="median").high == INF


def test_few_clusters_have_no_interval() -> None:
    few = bootstrap_ci([1.0, 2, 3, 4] * 3, ["a", "b", "c", "d"] * 3)
    assert few.point == 2.5
    assert math.isnan(few.low)
    assert math.isnan(few.high)
    assert math.isnan(bootstrap_ci([]).point)
    assert bootstrap_ci([3.0] * 7) == bootstrap_file.Interval(3, 3, 3)


@pytest.mark.parametrize(
    ("values", "more", "message"),
    [
        ([1.0, 2], {"groups": ["a"]}, "one group each, not 1"),
        ([[1.0, 2]], {}, r"shape \(1, 2\)"),
        ([1.0], {"level": 1.0}, "level 1.0"),
        ([1.0], {"resamplings": 0}, "resamplings 0"),
    ],
)
def test_bad_arguments(values: list[float], more: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bootstrap_ci(values, **more)


def test_all_signs_are_tried_when_few() -> None:
    assert sign_flip_test([1.0, 2, 3, 4]) == 2 / 16  # only all plus and all minus reach 10
    assert sign_flip_test([1.0, -1]) == 1
    assert sign_flip_test([5.0]) == 1
    assert sign_flip_test([1.0, 2, 3, 4, 5, 6], list("aabbcc")) == 2 / 8
    assert math.isnan(sign_flip_test([NAN]))


def test_random_signs_agree_with_scipy() -> None:
    differences = np.random.default_rng(8).normal(0.35, 1, 30)
    expected = stats.permutation_test(
        (differences, np.zeros(30)),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=9999,
        rng=np.random.default_rng(0),
    ).pvalue
    assert 0.005 < expected < 0.3
    assert sign_flip_test(differences) == pytest.approx(expected, abs=0.015)
    assert sign_flip_test(differences + 9) == 1 / 10_001


def test_infinite_differences_outweigh_all_others() -> None:
    values = [INF, -8, -9, -7]
    assert sign_flip_test(values) == 1  # whichever way the infinite one is flipped, it decides
    assert sign_flip_test([INF, INF, INF, -5]) == 4 / 16
    assert wilcoxon_test(values) == wilcoxon_test([10, -8, -9, -7])
    assert rank_biserial(values) == rank_biserial([10, -8, -9, -7])
    assert win_rate(values) == 0.25
    assert math.isnan(cohens_d(values))


@pytest.mark.parametrize(
    ("test", "count"), [(sign_flip_test, 12), (sign_flip_test, 40), (wilcoxon_test, 40)]
)
def test_p_values_of_equal_systems_are_uniform(test: Callable[..., float], count: int) -> None:
    """Two systems with the same distribution of errors on tracks of very unlike difficulty.

    The three stems of a track share a part of the difference, which a test blind to tracks would
    take for evidence.
    """
    rng = np.random.default_rng(count)
    groups = names(np.repeat(np.arange(count), 3))
    p_values = []
    for seed in range(400):
        shared, own = rng.standard_t(3, (2, count, 1)), rng.standard_t(3, (2, count, 3))
        systems = rng.gamma(2, 5, (count, 1)) + 2 * shared + own
        difference = (systems[0] - systems[1]).ravel()
        options = {"permutations": 999, "seed": seed} if test is sign_flip_test else {}
        p_values.append(test(difference, groups, **options))
    assert stats.kstest(p_values, "uniform").pvalue > 0.05
    assert np.mean(np.array(p_values) <= 0.05) == pytest.approx(0.05, abs=0.025)


def test_rows_taken_as_independent_would_find_differences_that_are_none() -> None:
    rng = np.random.default_rng(0)
    p_values = [
        sign_flip_test(np.repeat(rng.normal(size=20), 4), permutations=500) for _ in range(200)
    ]
    assert np.mean(np.array(p_values) < 0.05) > 0.2


def test_wilcoxon() -> None:
    differences = np.array([0.3, -0.1, 0.7, 0.2, 0.9, 1.4])
    assert wilcoxon_test(differences) == stats.wilcoxon(differences).pvalue == 4 / 64
    zeros = [0, 0, *differences]
    assert wilcoxon_test(zeros) == stats.wilcoxon(zeros, zero_method="pratt").pvalue
    assert wilcoxon_test(np.repeat(differences, 2), list("aabbccddeeff")) == 4 / 64
    assert wilcoxon_test([0.0, 0]) == 1
    assert math.isnan(wilcoxon_test([]))


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    with_gap = holm([0.02, NAN, 0.9])
    assert with_gap[[0, 2]] == pytest.approx([0.04, 0.9])
    assert math.isnan(with_gap[1])
    assert holm([0.6, 0.7]) == pytest.approx([1, 1])


def test_effect_sizes() -> None:
    assert win_rate([1, 2, -1, 0, NAN]) == 2.5 / 4
    assert math.isnan(win_rate([]))
    assert cohens_d([1.0, 2, 3]) == pytest.approx(2)
    assert cohens_d([1.0, 1, 3, 5, 3, 3], list("aabbcc")) == pytest.approx(
        np.mean([1, 4, 3]) / np.std([1, 4, 3], ddof=1)
    )
    assert cohens_d([-2.0, -2]) == -INF
    assert math.isnan(cohens_d([0.0, 0]))
    assert math.isnan(cohens_d([1.0]))
    assert rank_biserial([1, 2, -3, 0]) == 0
    assert rank_biserial([1, 2, 3, -4]) == pytest.approx(0.2)
    assert math.isnan(rank_biserial([0, NAN]))


@given(
    st.lists(st.integers(-3, 3), min_size=1, max_size=20),
    st.lists(st.integers(-3, 3), min_size=1, max_size=20),
)
def test_the_auc_counts_pairs_and_is_the_area_under_the_curve(
    present: list[int], absent: list[int]
) -> None:
    pairs = [(a > b) + (a == b) / 2 for a in present for b in absent]
    assert auc(present, absent) == pytest.approx(np.mean(pairs))
    curve = roc(present, absent)
    area = np.trapezoid(curve.true_positives, curve.false_positives)
    assert area == pytest.approx(np.mean(pairs))


def test_roc_points() -> None:
    curve = roc([0.9, 0.5, NAN], [0.5, 0.1])
    assert curve.thresholds.tolist() == [INF, 0.9, 0.5, 0.1]
    assert curve.true_positives.tolist() == [0, 0.5, 1, 1]
    assert curve.false_positives.tolist() == [0, 0, 0.5, 1]
    assert roc([INF], [0]).true_positives.tolist() == [0, 1, 1]
    assert math.isnan(auc([], [1]))
    with pytest.raises(ValueError, match="both present and absent"):
        roc([1], [NAN])


def test_the_interval_of_the_area_agrees_with_hanley_and_mcneil() -> None:
    """For independent scores the standard error is known: Hanley & McNeil 1982, their eq. 1."""
    rng = np.random.default_rng(0)
    present, absent = rng.normal(1.0, 1, 200), rng.normal(0, 1, 150)
    names = [f"p{i}" for i in range(200)], [f"a{i}" for i in range(150)]
    interval = auc_ci(present, absent, *names)
    area = interval.point
    wins = (present[:, None] > absent).astype(float)
    q1 = np.mean(wins.mean(axis=1) ** 2)
    q2 = np.mean(wins.mean(axis=0) ** 2)
    variance = (area * (1 - area) + 199 * (q2 - area**2) + 149 * (q1 - area**2)) / (200 * 150)
    assert area == pytest.approx(auc(present, absent))
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * variance**0.5, rel=0.06)


def test_the_interval_of_the_area_counts_ties_half_and_widens_with_clusters() -> None:
    scores = np.tile([0.0, 1.0], 50)
    alone = [str(i) for i in range(100)]
    tied = auc_ci(scores, scores, alone, alone)
    assert tied.point == 0.5
    assert (tied.low + tied.high) / 2 == pytest.approx(0.5, abs=0.01)
    rng = np.random.default_rng(1)
    present = np.repeat(rng.normal(0.5, 1, 20), 5)
    absent = rng.normal(0, 1, 100)
    few = auc_ci(present, absent, [f"x{i // 5}" for i in range(100)], alone)
    many = auc_ci(present, absent, [f"x{i}" for i in range(100)], alone)
    assert few.high - few.low > 1.5 * (many.high - many.low)
    assert np.isnan(auc_ci([1.0, 2.0], [0.0], ["a", "b"], ["c"]).low)
