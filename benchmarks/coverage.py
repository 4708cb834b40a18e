"""How often 95 % intervals hold the truth, and whether p-values of equal systems are uniform.

    python benchmarks/coverage.py [--trials 2000] [--write]

Rows are drawn from distributions whose mean is known. For every one and for 10 to 200 clusters,
the share of intervals that hold it is reported for the interval that sepcli uses (symmetric
studentised) and for three others that it could use: percentile, BCa, and Student's t. The widths
are medians, relative to Student's. Systems that are equal by construction are compared by both
paired tests; their p-values' distance to uniform ones is Kolmogorov and Smirnov's.
"""

import argparse
import json
import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import stats

from sepcli.evaluation.statistics import bootstrap_ci, sign_flip_test, wilcoxon_test

HERE = Path(__file__).parent
COUNTS = (10, 20, 50, 200)  # clusters
RESAMPLINGS = 1000

Rows = tuple[np.ndarray, float]  # (clusters, rows in each), and the true mean
Ends = tuple[float, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    figures = {
        "python": platform.python_version(),
        "trials": given.trials,
        "resamplings": RESAMPLINGS,
        "mean": {
            name: {count: coverage(draw, count, given.trials) for count in COUNTS}
            for name, draw in DISTRIBUTIONS.items()
        },
        "median": {count: median_coverage(count, given.trials) for count in COUNTS},
        "equal_systems": {count: equal_systems(count, given.trials) for count in COUNTS[1:]},
    }
    text = json.dumps(figures, indent=1)
    print(text)
    if given.write:
        (HERE / "results").mkdir(exist_ok=True)
        (HERE / "results/coverage.json").write_text(text + "\n")


def normal(rng: np.random.Generator, count: int) -> Rows:
    return rng.standard_normal((count, 1)), 0.0


def lognormal(rng: np.random.Generator, count: int) -> Rows:
    """Skewness 6.2."""
    return rng.lognormal(0, 1, (count, 1)), float(np.exp(0.5))


def sdr_like(rng: np.random.Generator, count: int) -> Rows:
    """Heavy tails around 8 dB, and one item in ten about 5 dB worse."""
    bad = np.where(rng.random((count, 1)) < 0.1, rng.exponential(5, (count, 1)), 0)
    return 8 + 2 * rng.standard_t(5, (count, 1)) - bad, 7.5


def stems_of_tracks(rng: np.random.Generator, count: int) -> Rows:
    """Four stems a track, whose skewed difficulty they share."""
    return rng.gamma(2, 2, (count, 1)) + rng.gamma(1, 2, (count, 4)), 6.0


DISTRIBUTIONS = {
    "normal": normal,
    "log-normal": lognormal,
    "like SDR": sdr_like,
    "4 stems a track": stems_of_tracks,
}


def coverage(
    draw: Callable[[np.random.Generator, int], Rows], count: int, trials: int
) -> dict[str, dict[str, float]]:
    """Share of intervals that hold the mean, and their width."""
    rng = np.random.default_rng(count)
    ends = {name: np.empty((trials, 2)) for name in INTERVALS}
    truth = 0.0
    for trial in range(trials):
        rows, truth = draw(rng, count)
        for name, interval in INTERVALS.items():
            ends[name][trial] = interval(rows, trial)
    width = {name: np.median(np.diff(each)) for name, each in ends.items()}
    return {
        name: {
            "coverage": round(float(np.mean((each[:, 0] <= truth) & (truth <= each[:, 1]))), 4),
            "width": round(float(width[name] / width["Student"]), 3),
        }
        for name, each in ends.items()
    }


def studentised(rows: np.ndarray, seed: int) -> Ends:
    """What sepcli uses; with one seed for all trials, they would share its error."""
    groups = np.repeat(np.arange(len(rows)), rows.shape[1]).astype(str).tolist()
    interval = bootstrap_ci(rows.ravel(), groups, resamplings=RESAMPLINGS, seed=seed)
    return interval.low, interval.high


def scipys(method: str) -> Callable[[np.ndarray, int], Ends]:
    """scipy's bootstrap of the clusters' means."""

    def interval(rows: np.ndarray, seed: int) -> Ends:
        found = stats.bootstrap(
            (rows.mean(axis=1),), np.mean, n_resamples=RESAMPLINGS, method=method, rng=seed
        )
        return found.confidence_interval.low, found.confidence_interval.high

    return interval


def student(rows: np.ndarray, _: int) -> Ends:
    """The textbook's."""
    means = rows.mean(axis=1)
    half = stats.sem(means) * stats.t.ppf(0.975, len(means) - 1)
    return means.mean() - half, means.mean() + half


INTERVALS = {
    "studentised": studentised,
    "percentile": scipys("percentile"),
    "BCa": scipys("BCa"),
    "Student": student,
}


def median_coverage(count: int, trials: int) -> float:
    """Share of intervals that hold the median, 1, of log-normal rows."""
    rng, inside = np.random.default_rng(count), 0
    for seed in range(trials):
        rows = rng.lognormal(0, 1, count)
        interval = bootstrap_ci(rows, resamplings=RESAMPLINGS, seed=seed, statistic="median")
        inside += interval.low <= 1 <= interval.high
    return round(inside / trials, 4)


def equal_systems(count: int, trials: int) -> dict[str, dict[str, float]]:
    """p-values of systems whose errors on 3 stems a track have one distribution."""
    rng = np.random.default_rng(count)
    groups = np.repeat(np.arange(count), 3).astype(str).tolist()
    p_values = np.empty((trials, 2))
    for trial in range(trials):
        shared, own = rng.standard_t(3, (2, count, 1)), rng.standard_t(3, (2, count, 3))
        first, second = 2 * shared + own
        gaps = (first - second).ravel()
        p_values[trial] = sign_flip_test(gaps, groups, 1999, trial), wilcoxon_test(gaps, groups)
    return {
        name: {
            "ks_distance": round(float(stats.kstest(p, "uniform").statistic), 4),
            "ks_p": round(float(stats.kstest(p, "uniform").pvalue), 4),
            "below_0.05": round(float(np.mean(p <= 0.05)), 4),
        }
        for name, p in zip(("sign-flip", "Wilcoxon"), p_values.T, strict=True)
    }


if __name__ == "__main__":
    main()
