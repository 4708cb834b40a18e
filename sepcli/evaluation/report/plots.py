"""Where everything of a plot goes; the template draws it.

Positions are in SVG units, x to the right and y down, inside a box of `WIDTH` x `HEIGHT`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sepcli.evaluation.report.spectrogram import LOWEST
from sepcli.evaluation.report.wording import MINUS, mean, number, plain
from sepcli.evaluation.results import decode_score

WIDTH, HEIGHT = 480, 250
LEFT, RIGHT, TOP, BOTTOM = 54, 12, 10, 44  # margins
MOST_DOTS = 2000  # of a scatter plot; more would make the page slow, not clearer
BARS = 24  # of a histogram, at most about
LINE = 24  # units of height of a line in a plot of intervals
NAMES = 160  # units of width for the names beside intervals
MOST_LINES = 60

T = TypeVar("T")


@dataclass(frozen=True)
class Tick:
    """A mark of an axis: where, from 0 to 1, and what it says."""

    at: float
    text: str


@dataclass(frozen=True)
class Axis:
    """A linear scale from `low` to `high`."""

    label: str
    low: float
    high: float
    ticks: tuple[Tick, ...]

    def place(self, value: float) -> float:
        """From 0 at the low end to 1 at the high end."""
        return (value - self.low) / (self.high - self.low)

    def x(self, value: float) -> float:
        """SVG x of a value."""
        return across(self.place(value))

    def y(self, value: float) -> float:
        """SVG y of a value."""
        return down(self.place(value))


def across(part: float) -> float:
    """SVG x of a part of the width, 0 to 1."""
    return round(LEFT + part * (WIDTH - LEFT - RIGHT), 2)


def down(part: float) -> float:
    """SVG y of a part of the height, 0 to 1 from the bottom up."""
    return round(HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM), 2)


def step_of(span: float, about: int) -> float:
    """1, 2 or 5 times a power of ten, such that about so many steps make up the span."""
    rough = span / about
    magnitude: float = 10.0 ** math.floor(math.log10(rough))
    return magnitude * min((1, 2, 5, 10), key=lambda factor: abs(factor - rough / magnitude))


def axis_of(values: Sequence[float], label: str, about: int = 6) -> Axis:
    """The scale that holds all values, from one round number to another."""
    low, high = min(values), max(values)
    if high - low < 1e-9 * max(1.0, abs(low)):
        low, high = low - 0.5, high + 0.5
    step = step_of(high - low, about)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    decimals = max(0, -math.floor(math.log10(step)))
    ticks = tuple(
        Tick(
            round((n - first) / (last - first), 5),
            f"{n * step + 0.0:.{decimals}f}".replace("-", MINUS),
        )
        for n in range(first, last + 1)
    )
    return Axis(plain(label), first * step, last * step, ticks)


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram."""

    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True)
class Histogram:
    """How figures are distributed, with their mean, its interval, and their median."""

    title: str
    x: Axis
    y: Axis
    bars: tuple[Bar, ...]
    mean: float | None
    interval: tuple[float, float] | None
    median: float


def histogram(
    title: str, label: str, values: Sequence[float], aggregate: Mapping[str, Any]
) -> Histogram | None:
    """The histogram of finite values, with bins that begin and end at round numbers.

    Returns:
        None if there is no finite value.
    """
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return None
    x = axis_of(finite, label)
    counts, edges = np.histogram(finite, _edges(x, len(finite)))
    y = axis_of([0, max(4, *counts)], "rows", about=4)
    bars = tuple(
        Bar(
            x.x(low),
            y.y(n),
            round(x.x(high) - x.x(low), 2),
            round(y.y(0) - y.y(n), 2),
            f"{number(low, 'x')} to {number(high, 'x')}: {n}",
        )
        for low, high, n in zip(edges[:-1], edges[1:], counts, strict=True)
        if n
    )
    middle, median = decode_score(aggregate["mean"]), float(np.median(finite))
    return Histogram(
        plain(title),
        x,
        y,
        bars,
        x.x(middle) if x.low <= middle <= x.high else None,
        _overlap(x, decode_score(aggregate["low"]), decode_score(aggregate["high"])),
        x.x(median),
    )


def _edges(axis: Axis, values: int) -> NDArray[np.float64]:
    """Edges of bins: each step of the axis in 1, 2 or 4, as many as Rice's rule (2 n^1/3) asks."""
    steps = len(axis.ticks) - 1
    wanted = min(BARS, 2 * values ** (1 / 3))
    each = min((1, 2, 4), key=lambda parts: abs(parts * steps - wanted))
    return np.linspace(axis.low, axis.high, each * steps + 1)


def _overlap(axis: Axis, low: float, high: float) -> tuple[float, float] | None:
    """SVG x of what an interval and the axis have in common, if anything."""
    if math.isnan(low) or math.isnan(high):
        return None
    low, high = max(axis.low, low), min(axis.high, high)
    return (axis.x(low), axis.x(high)) if low < high else None


@dataclass(frozen=True)
class Dot:
    """A point of a scatter plot."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Scatter:
    """One figure against another, of the same items."""

    title: str
    x: Axis
    y: Axis
    dots: tuple[Dot, ...]
    diagonal: bool
    note: str


def scatter(
    title: str,
    labels: tuple[str, str],
    points: Sequence[tuple[str, float, float]],
    same_scale: bool = False,
) -> Scatter | None:
    """Points of (name, x, y) with finite figures.

    Args:
        title: of the plot.
        labels: of both axes.
        points: what is drawn.
        same_scale: whether both axes are alike and a diagonal marks x = y.

    Returns:
        None if there is no point.
    """
    finite = [point for point in points if math.isfinite(point[1]) and math.isfinite(point[2])]
    if not finite:
        return None
    shown = thinned(finite)
    xs, ys = [x for _, x, _ in finite], [y for _, _, y in finite]
    x_axis = axis_of([*xs, *ys] if same_scale else xs, labels[0])
    y_axis = axis_of([*xs, *ys] if same_scale else ys, labels[1])
    dots = tuple(
        Dot(x_axis.x(x), y_axis.y(y), f"{plain(name)}: {number(x, 'x')}, {number(y, 'x')}")
        for name, x, y in shown
    )
    note = f"{len(dots)} of {len(finite)} points" if len(dots) < len(finite) else ""
    return Scatter(plain(title), x_axis, y_axis, dots, same_scale, note)


def thinned(points: Sequence[T]) -> Sequence[T]:
    """At most `MOST_DOTS` of them, evenly chosen."""
    every = math.ceil(len(points) / MOST_DOTS)
    return points[:: max(1, every)]


@dataclass(frozen=True)
class Line:
    """A mean with its interval, one line of a plot of intervals."""

    name: str
    y: float
    mean: float
    low: float | None
    high: float | None
    text: str


@dataclass(frozen=True)
class Intervals:
    """Means with their intervals, one below the other."""

    title: str
    x: Axis
    lines: tuple[Line, ...]
    height: float
    zero: float | None
    note: str


def intervals(
    title: str,
    label: str,
    unit: str,
    aggregates: Mapping[str, Mapping[str, Any]],
    by_mean: bool = True,
) -> Intervals | None:
    """A plot of every aggregate that has a finite mean, greatest first or in the order given.

    Returns:
        None if there are fewer than two, which need no plot.
    """
    finite = {
        name: each for name, each in aggregates.items() if math.isfinite(decode_score(each["mean"]))
    }
    if len(finite) < 2:
        return None
    ordered = list(finite.items())
    if by_mean:
        ordered.sort(key=lambda pair: (-decode_score(pair[1]["mean"]), pair[0]))
    shown = ordered[:MOST_LINES]
    ends = [decode_score(each[key]) for _, each in shown for key in ("mean", "low", "high")]
    x = axis_of([end for end in ends if math.isfinite(end)], label)
    lines = tuple(_line(x, n, name, each, unit) for n, (name, each) in enumerate(shown))
    note = f"{len(shown)} of {len(ordered)}" if len(shown) < len(ordered) else ""
    zero = _beside(x, 0.0) if x.low < 0 < x.high else None
    return Intervals(plain(title), x, lines, TOP + LINE * len(lines) + BOTTOM, zero, note)


def _line(x: Axis, n: int, name: str, aggregate: Mapping[str, Any], unit: str) -> Line:
    middle, low, high = (decode_score(aggregate[key]) for key in ("mean", "low", "high"))
    return Line(
        plain(name),
        TOP + LINE * (n + 0.5),
        _beside(x, middle),
        _beside(x, low) if math.isfinite(low) else None,
        _beside(x, high) if math.isfinite(high) else None,
        mean(aggregate, unit),
    )


def _beside(axis: Axis, value: float) -> float:
    return beside(axis.place(value))


def beside(part: float) -> float:
    """SVG x of a part of the width that names leave free, 0 to 1."""
    return round(NAMES + part * (WIDTH - NAMES - RIGHT - 14), 2)


def octaves(hertz: float, top: float) -> float:
    """Part of a spectrogram's height at which a frequency lies, 0 to 1."""
    return math.log(hertz / LOWEST) / math.log(top / LOWEST)


@dataclass(frozen=True)
class Roc:
    """Share of present sounds found against share of absent ones thought to be there."""

    title: str
    x: Axis
    y: Axis
    points: str


def roc(curve: Sequence[Sequence[float]]) -> Roc | None:
    """The curve of (false positive rate, true positive rate); None if it is empty."""
    if not curve:
        return None
    x, y = axis_of([0, 1], "false positive rate"), axis_of([0, 1], "true positive rate")
    points = " ".join(f"{x.x(false)},{y.y(true)}" for false, true in curve)
    return Roc("Is the sound there?", x, y, points)
