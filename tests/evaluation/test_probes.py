"""What more queries say of a model."""

from __future__ import annotations

import numpy as np
import pytest

from sepcli.evaluation.probes import query_figures
from sepcli.evaluation.results import Row
from sepcli.evaluation.statistics import auc


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
