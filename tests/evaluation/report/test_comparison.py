"""A comparison as a table."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from sepcli.evaluation.compare import Comparison, Difference
from sepcli.evaluation.report.comparison import comparison_markdown, comparison_table
from sepcli.evaluation.statistics import Interval

BETTER = Difference(
    column="sdr",
    stem="all",
    pairs=38,
    dropped=2,
    mean=Interval(1.234, 0.5, 2.0),
    sign_flip=0.0004,
    wilcoxon=0.012,
    sign_flip_holm=0.0008,
    wilcoxon_holm=0.024,
    win_rate=0.75,
    cohens_d=0.6,
    rank_biserial=-0.25,
)


@pytest.fixture
def comparison() -> Comparison:
    unsure = replace(
        BETTER,
        column="loudness_error",
        stem="a|b",
        dropped=0,
        mean=Interval(-1.0, math.nan, math.nan),
        sign_flip_holm=0.05,
        wilcoxon_holm=math.nan,
        win_rate=math.nan,
    )
    return Comparison("new", "old|er", (BETTER, unsure), 0, 3, ("protocols differ",))


def test_cells(comparison: Comparison) -> None:
    table = comparison_table(comparison)
    assert table.title == "new minus old|er"
    first, second = ([cell.text for cell in row] for row in table.rows)
    assert first == [
        "sdr (dB)",
        "all stems",
        "38",
        "+1.23 [+0.50, +2.00]",
        "<0.001",
        "0.024",
        "75%",
        "+0.600",
        "−0.250",
    ]
    assert second[:2] == ["loudness_error (LU)", "a|b"]
    assert second[3:7] == ["−1.00", "0.050", "n/a", "n/a"]
    assert [row[2].detail for row in table.rows] == ["2 undefined", ""]
    assert table.rows[0][5].detail == "0.012"
    assert [row[3].strong for row in table.rows] == [True, False]
    assert all(len(row) == len(table.head) for row in table.rows)
    assert table.note.endswith("3 rows only in old|er.")


def test_columns_that_sepcli_does_not_know_have_no_unit(comparison: Comparison) -> None:
    odd = replace(comparison, differences=(replace(BETTER, column="theirs"),))
    assert comparison_table(odd).rows[0][0].text == "theirs"
    assert comparison_table(odd).rows[0][3].text == "+1.234 [+0.500, +2.000]"


def test_markdown(comparison: Comparison) -> None:
    text = comparison_markdown(comparison)
    assert text.startswith("> **protocols differ**\n\n## new minus old\\|er\n")
    assert "a\\|b" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert {line.replace("\\|", "").count("|") for line in lines} == {10}
