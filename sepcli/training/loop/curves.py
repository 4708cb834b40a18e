"""How a run went, as a picture."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sepcli.errors import UsageError
from sepcli.training.loop.files import replace
from sepcli.training.loop.log import Log

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVES = "curves.png"
VALIDATION = "val_"  # before the name of a validation figure that training has too
COLUMNS = 3  # of panels
PANEL = (4.2, 2.8)  # inches
SMOOTHED = 0.05  # of a curve's length: the running mean's width

Points = list[tuple[int, float]]  # steps and values


def plot(folder: Path) -> Path:
    """Draw the figures that a run logged, a panel each, with validation in the same panel.

    Args:
        folder: of the run.

    Returns:
        the picture's path, `curves.png` in the folder.

    Raises:
        UsageError: if nothing was logged.
        OutputError: if it could not be written.
    """
    from matplotlib.figure import Figure

    series = series_of(Log(folder / "log.jsonl").lines())
    if not series:
        message = f"no figures are logged in {folder}"
        raise UsageError(message, "give the folder of a run that has taken a step")
    names = list(dict.fromkeys(name.removeprefix(VALIDATION) for name in series))
    rows = math.ceil(len(names) / COLUMNS)
    figure = Figure(figsize=(PANEL[0] * COLUMNS, PANEL[1] * rows), layout="tight")
    for number, name in enumerate(names, 1):
        draw(figure.add_subplot(rows, COLUMNS, number), name, series)
    replace(folder / CURVES, lambda file: figure.savefig(file, format="png", dpi=100))
    return folder / CURVES


def series_of(lines: Iterable[Mapping[str, Any]]) -> dict[str, Points]:
    """Every figure's finite values, with the steps they belong to."""
    series: dict[str, Points] = defaultdict(list)
    for line in lines:
        for name, value in line.items():
            if name not in ("step", "seconds") and value is not None:
                series[name].append((line["step"], value))
    return dict(series)


def draw(axes: Axes, name: str, series: Mapping[str, Points]) -> None:
    """One panel: what training saw, thin and smoothed, and what validation says."""
    axes.set_title(name, fontsize=10)
    axes.set_xlabel("step", fontsize=8)
    axes.grid(alpha=0.3)
    if name in series:
        steps, values = zip(*series[name], strict=True)
        axes.plot(steps, values, color="tab:blue", alpha=0.25, linewidth=0.8)
        axes.plot(steps, smoothed(values), color="tab:blue", label="training")
    if VALIDATION + name in series:
        steps, values = zip(*series[VALIDATION + name], strict=True)
        axes.plot(steps, values, color="tab:orange", marker=".", label="validation")
    if len(axes.get_lines()) > 2:
        axes.legend(fontsize=8)


def smoothed(values: Sequence[float]) -> NDArray[np.float64]:
    """The mean of each value's neighbours and itself; at the ends, of those that are there."""
    reach = round(SMOOTHED * len(values) / 2)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    centre = np.arange(len(values))
    first, last = np.maximum(centre - reach, 0), np.minimum(centre + reach + 1, len(values))
    means: NDArray[np.float64] = (sums[last] - sums[first]) / (last - first)
    return means
