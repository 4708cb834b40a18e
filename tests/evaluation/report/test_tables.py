"""Tables say what the summary says, in every format, whatever the items are called."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from sepcli.evaluation.report import markdown as markdown_format
from sepcli.evaluation.report import tables
from sepcli.evaluation.report.flat import rows_csv
from sepcli.evaluation.report.latex import escape as latex_escape
from sepcli.evaluation.report.latex import latex, summary_latex
from sepcli.evaluation.report.markdown import every_table, markdown, summary_markdown
from sepcli.evaluation.report.tables import Cell, Table
from sepcli.evaluation.report.terminal import terminal_table
from sepcli.evaluation.report.wording import detail, mean, number, plain, with_unit
from sepcli.evaluation.results import Row

Aggregated = Callable[[Sequence[float]], dict[str, Any]]
FULL = {"valid": 4, "total": 4, "infinite": 0, "mean": -1.234, "low": -2, "high": 0.5, "median": 1}


def test_a_number_has_two_decimals_with_a_unit_and_three_without() -> None:
    assert number(7.168, "dB") == "7.17"
    assert number(0.8765) == "0.876"
    assert number(-1.0, "dB") == "−1.00"
    assert number(1.0, "dB", sign=True) == "+1.00"
    assert number("-inf", "dB") == "−∞"
    assert with_unit("inf", "dB") == "∞ dB"
    assert with_unit(0.5, "") == "0.500"


def test_what_is_undefined_is_never_a_number() -> None:
    assert number(None, "dB") == number(math.nan) == "n/a"
    assert with_unit(None, "dB") == "n/a"


def test_a_mean_stands_with_its_interval_and_what_was_counted() -> None:
    assert mean(FULL, "dB") == "−1.23 [−2.00, 0.50]"
    assert detail(FULL, "dB") == "median 1.00"
    partial = FULL | {"valid": 3, "infinite": 1, "low": None, "high": None}
    assert mean(partial, "dB") == "−1.23"
    assert detail(partial, "dB") == "median 1.00, n 3/4, 1 infinite"


@pytest.mark.parametrize(
    ("valid", "total", "infinite", "reason"),
    [(0, 0, 0, "no items"), (0, 5, 0, "undefined"), (5, 5, 2, "infinite of both signs")],
)
def test_a_mean_that_is_missing_says_why(
    valid: int, total: int, infinite: int, reason: str
) -> None:
    nothing = dict.fromkeys(("mean", "low", "high", "median"))
    counts = {"valid": valid, "total": total, "infinite": infinite}
    assert mean({**nothing, **counts}, "dB") == f"n/a ({reason})"


def test_names_lose_what_would_drive_a_terminal_or_turn_text_around() -> None:
    assert plain("a\x1b[31m\nb\tc") == "a\ufffd[31m b c"
    assert plain("gpj\u202eexe") == "gpj\ufffdexe"
    assert plain("\udce9.wav").encode() == "\ufffd.wav".encode()
    assert plain("Jürgen – 太鼓 🥁") == "Jürgen – 太鼓 🥁"


def test_the_longer_of_stems_and_columns_goes_down(summary: dict[str, Any]) -> None:
    by_column = tables.summary_table(summary)
    assert by_column.head == ("", "all stems", "clock tick", "dog bark", "helicopter", "rain")
    assert [row[0].text for row in by_column.rows][:2] == ["sdri (dB) ↑", "sdr (dB) ↑"]
    two = {c: summary["columns"][c] for c in ("sdri", "loudness_error")}
    by_stem = tables.summary_table(summary | {"columns": two})
    assert by_stem.head == ("stem", "sdri (dB) ↑", "loudness_error (LU)")
    assert by_stem.rows[0][1] == by_column.rows[0][1]


def test_only_the_headline_is_bold(summary: dict[str, Any]) -> None:
    strong = [c for row in tables.summary_table(summary).rows for c in row if c.strong]
    assert [cell.value for cell in strong] == [summary["stems"]["sdri"]["all"]["mean"]]
    ways = tables.aggregation_table(
        summary | {"headline": {"column": "sdri", "value": 1, "how": "mean of class means"}}
    )
    assert [(row[0].text, n) for row in ways.rows for n, c in enumerate(row) if c.strong] == [
        ("sdri (dB) ↑", 3)
    ]


def test_a_column_that_was_not_measured_says_so(summary: dict[str, Any]) -> None:
    stems = summary["stems"] | {"stoi": {"all": FULL}}
    table = tables.summary_table(summary | {"stems": stems})
    assert [cell.text for cell in table.rows[-1][2:]] == ["n/a (not measured)"] * 4
    assert all(math.isnan(float(cell.value)) for cell in table.rows[-1][2:])


def test_an_aggregate_that_is_undefined_says_so(summary: dict[str, Any]) -> None:
    table = tables.aggregation_table(summary | {"aggregations": {"sdr": {"median": None}}})
    assert table.rows[0][1].text == "n/a (undefined)"


def test_reference_rows_stand_below_the_system(summary: dict[str, Any]) -> None:
    table = tables.reference_table(summary)
    assert [row[0].text for row in table.rows] == [
        "everyday (evaluated)",
        "mixture",
        "oracle-irm",
        "silence",
    ]
    assert table.head == ("system", "sdri (dB) ↑", "sdr (dB) ↑")
    assert table.rows[3][1].text == "n/a (undefined)"
    assert table.rows[3][1].detail == "n 0/1"


def test_groups_have_a_table_each_and_numbers_among_them_sort_as_numbers(
    summary: dict[str, Any],
) -> None:
    classes, levels = tables.group_tables(summary)
    assert (classes.title, levels.title) == ("By class", "By snr")
    assert {row[0].value for row in levels.rows} == {-10.0, -5.0, 0.0, 5.0, 10.0}
    assert classes.rows[0][0].value == "clock tick"
    dogs = next(row for row in classes.rows if row[0].text == "dog bark")
    assert dogs[1].detail.endswith("n 31/32")


def test_queries_have_tables_of_what_was_asked(summary: dict[str, Any]) -> None:
    presence, paraphrase, confusion = tables.query_tables(summary)
    assert presence.rows[0][1].text.startswith("0.950")
    assert presence.rows[1][1].text.startswith("−31.90")
    assert paraphrase.rows[0][1].text.startswith("0.43")
    assert [cell.text for cell in confusion.rows[1]] == ["rain", "helicopter", "−6.40 dB"]
    assert tables.query_tables({**summary, "query": {}}) == []
    assert tables.query_tables({k: v for k, v in summary.items() if k != "query"}) == []


def test_items_are_listed_from_the_lowest_and_the_undefined_last(
    summary: dict[str, Any], rows: list[Row]
) -> None:
    table = tables.item_table(summary, rows)
    figures = [float(row[2].value) for row in table.rows]
    assert len(figures) == 96
    assert figures[:-1] == sorted(figures[:-1])
    assert math.isinf(figures[-2])
    assert table.rows[-1][2].text == "n/a (ref_silent)"
    assert table.note == ""


def test_a_long_list_of_items_is_cut_and_says_so(summary: dict[str, Any], rows: list[Row]) -> None:
    many = [replace(row, item=f"{n}/{row.item}") for n in range(6) for row in rows]
    table = tables.item_table(summary, many)
    assert len(table.rows) == tables.MOST_ITEMS
    assert table.note == "The 500 lowest of 576 rows; rows.csv has all."
    assert table.note in markdown(table).replace("\\", "")


HOSTILE = "<script>|`*_[x](y)~#!\\"


def test_markdown_keeps_hostile_names_in_their_cell() -> None:
    lines = markdown(Table("T", ("a", "b"), ((Cell(HOSTILE, ""), Cell("1", 1.0, "n 1/2")),)))
    row = lines.splitlines()[-1]
    assert "<" not in row
    assert len(re.findall(r"(?<!\\)\|", row.replace("\\\\", ""))) == 3
    assert row.endswith("| 1; n 1/2 |")
    assert re.sub(r"\\(.)", r"\1", markdown_format.escape(HOSTILE)) == HOSTILE.replace(
        "<", "&lt;"
    ).replace(">", "&gt;")


def test_the_markdown_page_warns_before_it_tells(summary: dict[str, Any]) -> None:
    text = summary_markdown(summary)
    assert text.index("NOT A BENCHMARK RESULT") < text.index("**sdri 7.7")
    assert "**7.79 \\[6.93, 8.65\\]**; median" in text
    assert "lass/audiosep-sdri" in text
    assert "&lt;b&gt;017&lt;/b&gt;" in text
    for line in text.splitlines():
        if line.startswith("| "):
            assert line.endswith(" |")


def test_latex_prints_names_as_they_are() -> None:
    assert latex_escape("50% of $x_1 & #2 {a}^~\\") == (
        r"50\% of \$x\_1 \& \#2 \{a\}\textasciicircum{}\textasciitilde{}\textbackslash{}"
    )
    assert latex_escape("−1 ↑ ↓ ∞") == r"$-$1 $\uparrow$ $\downarrow$ $\infty$"
    assert latex_escape("[x]*") == "{[}x]{*}"


def test_a_latex_table_has_booktabs_and_as_many_cells_as_heads(summary: dict[str, Any]) -> None:
    text = latex(tables.summary_table(summary))
    assert r"\begin{tabular}{lrrrrr}" in text
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert [len(re.findall(r"(?<!\\)&", row)) for row in rows] == [5] * 6
    assert text.count(r"\textbf{") == 1
    assert r"\textbf{7.79 {[}6.93, 8.65]}; median" in text


def test_the_latex_file_has_every_table_and_the_notes(summary: dict[str, Any]) -> None:
    text = summary_latex(summary)
    assert text.startswith("% NOT A BENCHMARK RESULT: --limit 48\n% PARTIAL 48/320\n")
    assert text.count(r"\begin{table}") == len(every_table(summary)) == 10
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")


def _parsed(rows: Sequence[Row]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(rows_csv(rows))))


def test_csv_has_every_score_to_twelve_digits(rows: list[Row]) -> None:
    parsed = _parsed(rows)
    assert len(parsed) == len(rows)
    for line, row in zip(parsed, rows, strict=True):
        assert (line["stem"], line["system"], line["flags"]) == (
            row.stem,
            row.system,
            " ".join(row.flags),
        )
        for column, value in row.scores.items():
            read = math.nan if line[column] == "n/a" else float(line[column])
            assert read == pytest.approx(value, rel=1e-11, nan_ok=True)
    assert parsed[1]["stoi"] == "n/a"  # the mixture has none
    assert parsed[0]["fact.class"] == "dog bark"
    assert (parsed[0]["sdr.frames"], parsed[0]["sdr.all_frames"]) == ("4", "5")
    assert parsed[1]["sdr.frames"] == ""


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "\t="])
def test_no_csv_cell_is_a_formula(start: str) -> None:
    name = f'{start}cmd|"/C calc"!A0'
    row = Row(name, name, "estimate", name, {"class": name}, (name,), {name: -1.5})
    (line,) = _parsed([row])
    head = next(csv.reader(io.StringIO(rows_csv([row]))))
    for text in (*head, line["item"], line["stem"], line["estimate"], line["flags"]):
        assert not text.lstrip().startswith(("=", "+", "-", "@"))
    assert line["item"].endswith('cmd|"/C calc"!A0')
    assert list(line.values())[-1] == "-1.5"


def test_a_terminal_shows_names_and_not_what_they_would_do() -> None:
    cell = Cell(plain("[red]\x1b[2Jx[/red]"), "", detail="n 1/2")
    table = Table("T", ("[b]item", "n"), ((cell, Cell("1", 1.0, strong=True)),), note="some")
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    console.print(terminal_table(table))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[red]\ufffd[2Jx[/red]" in text
    assert "\x1b" not in text
    for part in ("[b]item", "n 1/2", "some", "T"):
        assert part in text


def test_a_terminal_shows_the_headline_in_bold(summary: dict[str, Any]) -> None:
    console = Console(file=io.StringIO(), width=200, force_terminal=True, color_system="standard")
    console.print(terminal_table(tables.summary_table(summary)))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert len(re.findall(r"\x1b\[1m *7\.79 \[6\.93, 8\.65\]\x1b\[0m", text)) == 1


def test_figures_of_the_whole_set_have_a_table(summary: dict[str, Any]) -> None:
    figures = {"fad": 0.25, "fad_infinity": None}
    table = tables.group_tables(summary | {"set": {"fad": figures}})[-1]
    assert table.title == "fad of the whole set"
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["fad", "0.250"],
        ["fad_infinity", "n/a"],
    ]


def test_reference_rows_can_be_narrowed(summary: dict[str, Any]) -> None:
    column = summary["headline"]["column"]
    assert len(tables.reference_table(summary, [column]).head) == 2
