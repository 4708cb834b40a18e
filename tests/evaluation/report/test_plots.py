"""Plots put figures where they belong."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sepcli.evaluation.report import plots
from sepcli.evaluation.report.explorer import explorer
from sepcli.evaluation.results import Row

Aggregated = Callable[[Sequence[float]], dict[str, Any]]


@pytest.mark.parametrize(
    ("span", "about", "step"), [(10, 5, 2), (1, 5, 0.2), (70, 6, 10), (3, 6, 0.5), (4e-3, 4, 1e-3)]
)
def test_steps_are_round(span: float, about: int, step: float) -> None:
    assert plots.step_of(span, about) == pytest.approx(step)


def test_an_axis_runs_from_one_round_number_to_another() -> None:
    axis = plots.axis_of([-3.2, 9.1], "dB")
    assert (axis.low, axis.high) == (-4, 10)
    assert [tick.text for tick in axis.ticks] == ["−4", "−2", "0", "2", "4", "6", "8", "10"]
    assert axis.ticks[1].at == pytest.approx(1 / 7, abs=1e-5)
    fine = plots.axis_of([0.61, 0.79], "stoi")
    assert [fine.ticks[0].text, fine.ticks[-1].text] == ["0.60", "0.80"]


def test_an_axis_of_one_value_has_it_in_the_middle() -> None:
    axis = plots.axis_of([3.0, 3.0], "dB")
    assert axis.place(3.0) == pytest.approx(0.5)
    assert len(axis.ticks) > 2


def test_greater_values_are_further_right_and_higher_up() -> None:
    axis = plots.axis_of([0, 10], "dB")
    assert axis.x(0) == plots.LEFT
    assert axis.x(10) == plots.WIDTH - plots.RIGHT
    assert axis.y(0) == plots.HEIGHT - plots.BOTTOM
    assert axis.y(10) == plots.TOP


@pytest.mark.parametrize("seed", range(8))
def test_a_histogram_counts_every_finite_value_once(seed: int, aggregated: Aggregated) -> None:
    rng = np.random.default_rng(seed)
    values = [*rng.normal(7, 1 + 6 * seed, 30 + 40 * seed), math.nan, math.inf]
    plot = plots.histogram("all", "sdr", values, aggregated(values))
    assert plot is not None
    assert sum(int(bar.text.rsplit(" ", 1)[1]) for bar in plot.bars) == len(values) - 2
    assert plot.mean == pytest.approx(plot.x.x(float(np.mean(values[:-2]))), abs=0.01)
    assert plot.interval is not None
    assert plot.interval[0] < plot.mean < plot.interval[1]
    for bar in plot.bars:
        assert bar.y + bar.height == pytest.approx(plot.y.y(0), abs=0.02)
        low = float(bar.text.split(" to ")[0].replace("−", "-"))
        assert bar.x == pytest.approx(plot.x.x(low), abs=2.5)


def test_a_histogram_draws_no_mean_outside_itself(aggregated: Aggregated) -> None:
    plot = plots.histogram("all", "sdr", [1, 2], aggregated([100, 102]))
    assert plot is not None
    assert plot.mean is None
    assert plot.interval is None
    reaching = aggregated([1, 2]) | {"low": -5.0, "high": 1.5}
    cut = plots.histogram("all", "sdr", [1, 2], reaching)
    assert cut is not None
    assert cut.interval == (cut.x.x(1), cut.x.x(1.5))
    undefined = plots.histogram("all", "sdr", [1, 2], aggregated([math.nan]))
    assert undefined is not None
    assert undefined.interval is None
    assert plots.histogram("all", "sdr", [math.nan], aggregated([math.nan])) is None


def test_a_scatter_plot_with_one_scale_has_equal_values_on_its_diagonal() -> None:
    points = [("a", -3.0, -3.0), ("b", 8.0, 8.0), ("<c>", 1.0, 6.0), ("d", math.nan, 1.0)]
    plot = plots.scatter("t", ("x", "y"), points, same_scale=True)
    assert plot is not None
    assert plot.x.low == plot.y.low
    assert plot.x.high == plot.y.high
    across = [(dot.x - plots.across(0)) / (plots.across(1) - plots.across(0)) for dot in plot.dots]
    up = [(plots.down(0) - dot.y) / (plots.down(0) - plots.down(1)) for dot in plot.dots]
    assert across[:2] == pytest.approx(up[:2], abs=1e-3)
    assert up[2] > across[2]
    assert plot.dots[2].text == "<c>: 1.00, 6.00"
    assert plot.note == ""
    assert plots.scatter("t", ("x", "y"), points[3:]) is None


def test_many_points_are_thinned_and_it_says_so() -> None:
    points = [(str(n), float(n), float(-n)) for n in range(4500)]
    plot = plots.scatter("t", ("x", "y"), points)
    assert plot is not None
    assert len(plot.dots) == 1500
    assert plot.note == "1500 of 4500 points"
    assert (plot.x.high, plot.y.low) == (4500, -4500)  # the last point was not drawn


def test_intervals_are_ordered_by_mean_or_as_given(aggregated: Aggregated) -> None:
    kinds = {"a": aggregated([1, 2]), "b": aggregated([-5, 5]), "c": aggregated([math.nan])}
    plot = plots.intervals("t", "sdr", "dB", kinds)
    assert plot is not None
    assert [line.name for line in plot.lines] == ["a", "b"]
    first, second = plot.lines
    assert second.low is not None
    assert second.high is not None
    assert second.low < second.mean < second.high
    assert second.mean == plot.zero
    assert first.mean > second.mean
    assert second.y - first.y == plots.LINE
    levels = {str(n): aggregated([n, n]) for n in (-2, 10, 9)}
    given = plots.intervals("t", "x", "", levels, by_mean=False)
    assert given is not None
    assert [line.name for line in given.lines] == ["-2", "10", "9"]


def test_too_few_or_too_many_intervals(aggregated: Aggregated) -> None:
    assert plots.intervals("t", "x", "", {"a": aggregated([1, 2])}) is None
    alone = aggregated([4.0]) | {"low": None, "high": None}
    many = plots.intervals("t", "x", "", {f"g{n}": alone | {"mean": n} for n in range(70)})
    assert many is not None
    assert len(many.lines) == plots.MOST_LINES
    assert many.lines[0].name == "g69"
    assert many.lines[0].low is None
    assert many.note == "60 of 70"


def test_a_roc_curve_rises_from_corner_to_corner() -> None:
    plot = plots.roc([[0, 0], [0.1, 0.8], [1, 1]])
    assert plot is not None
    points = [tuple(map(float, point.split(","))) for point in plot.points.split()]
    assert points[0] == (plots.across(0), plots.down(0))
    assert points[1] == (plots.across(0.1), plots.down(0.8))
    assert points[-1] == (plots.across(1), plots.down(1))
    assert plots.roc([]) is None


def test_the_explorer_offers_what_varies(summary: dict[str, Any], rows: list[Row]) -> None:
    plot = explorer(summary, rows)
    assert plot is not None
    names = [variable["name"] for variable in plot.variables]
    assert "mixture's sdr (dB) ↑" in names
    assert "fact: snr" in names
    assert "fact: class" not in names  # words
    assert "mixture's sdri (dB) ↑" not in names  # zero by definition
    assert [names[n] for n in plot.first] == ["sdr (dB) ↑", "sdri (dB) ↑"]
    assert all(len(variable["places"]) == len(plot.names) == 96 for variable in plot.variables)
    places = plot.variables[0]["places"]
    assert places.count(None) == 2  # one undefined, one infinite
    assert all(0 <= place <= 1 for place in places if place is not None)


def test_the_explorer_needs_two_figures(summary: dict[str, Any], rows: list[Row]) -> None:
    alone = [replace(row, scores={"sdr": row.scores["sdr"]}, facts={}) for row in rows]
    assert explorer(summary, [row for row in alone if row.system == "estimate"]) is None
    plot = explorer(summary, alone)
    assert plot is not None
    assert plot.first == (1, 0)  # without the primary column, the first goes up
