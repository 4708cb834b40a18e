"""What more queries say of a model."""

from __future__ import annotations

import numpy as np
import pytest

from sepcli.evaluation.probes import query_figures
from sepcli.evaluation.results import Row
from sepcli.evaluation.statistics import auc, auc_ci


def row(item: int, stem: str, system: str, **scores: float) -> Row:
    facts = {"unlike": "True"} if system == "absent" else {}
    return Row(f"{item}", stem, system, stem, facts, (), scores)


def test_nothing_is_told_of_plain_runs() -> None:
    assert query_figures([row(0, "a", "estimate", sdri=1.0)], ["sdri"]) == {}


def test_paraphrases_lose_what_the_plain_words_have_more() -> None:
    rows = [row(i, "a", "estimate", sdri=5.0 + i, presence=0.9) for i in range(8)]
    rows += [row(i, "a", f"paraphrase-{k}", sdri=4.0 + i - k) for i in range(8) for k in (0, 1)]
    loss = query_figures(rows, ["sdri", "presence"])["paraphrase_loss"]
    assert set(loss) == {"sdri"}
    assert loss["sdri"]["mean"] == pytest.approx(1.5)
    assert loss["sdri"]["total"] == 16


def test_presence_is_judged_against_unlike_sounds_only() -> None:
    rows = [row(i, "a", "estimate", presence=0.6 + 0.01 * i) for i in range(10)]
    rows += [row(i, "b", "absent", presence=0.5 + 0.02 * i, level_db=-10.0 - i) for i in range(10)]
    rows += [Row("0", "c", "absent", "c", {"unlike": "False"}, (), {"presence": 1.0})]
    figures = query_figures(rows, [])
    heard, absent = 0.6 + 0.01 * np.arange(10), 0.5 + 0.02 * np.arange(10)
    assert figures["presence_auc"]["mean"] == pytest.approx(auc(heard, absent))
    assert figures["absent_db"]["mean"] == pytest.approx(-14.5)
    assert figures["roc"][0] == (0.0, 0.0)
    assert figures["roc"][-1] == (1.0, 1.0)


def test_leakage_is_the_median_over_mixtures_of_every_pair() -> None:
    rows = [
        Row("0", "rain", "leakage", "sea", {}, (), {"leakage_db": db}) for db in (-3.0, -9.0, -1.0)
    ]
    rows += [Row("0", "dog", "leakage", "sea", {}, (), {"leakage_db": -20.0})]
    assert query_figures(rows, [])["confusion"] == [
        {"asked": "sea", "heard": "dog", "db": -20.0, "mixtures": 1},
        {"asked": "sea", "heard": "rain", "db": -3.0, "mixtures": 3},
    ]


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
    rng = np.random.default_rng(1)
    present = np.repeat(rng.normal(0.5, 1, 20), 5)
    absent = rng.normal(0, 1, 100)
    few = auc_ci(present, absent, [f"x{i // 5}" for i in range(100)], alone)
    many = auc_ci(present, absent, [f"x{i}" for i in range(100)], alone)
    assert few.high - few.low > 1.5 * (many.high - many.low)
    assert np.isnan(auc_ci([1.0, 2.0], [0.0], ["a", "b"], ["c"]).low)
