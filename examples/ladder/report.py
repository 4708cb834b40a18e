"""The ladder's page: its table, its plot, and what the steps of the ladder are worth."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sepcli.evaluation.results import SYSTEM, Row, read_rows
from sepcli.evaluation.statistics import Interval, bootstrap_ci
from sepcli.training.clap_figures import clap_figures
from sepcli.training.load_config import load_config
from sepcli.training.recipe import prepare
from sepcli.training.teacher import SmallTeacher, load_teacher

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
COLUMNS = ("sdr_v3", "si_sdri")
TITLES = {"package-disjoint": "packages never trained on", "demo": "ESC-10, fold 4"}
UNSUPERVISED, SUPERVISED = "mix-and-separate", "supervised"

Place = tuple[str, int]  # regime, sources
Named = tuple[str, int, str]  # regime, sources, name of a cell's folder


@dataclass(frozen=True)
class Step:
    """A regime's figures on one test set, by column; rows are means over seeds."""

    rows: dict[tuple[str, str], Row]
    seeds: int

    def values(self, column: str) -> dict[tuple[str, str], float]:
        """Item and stem -> figure."""
        return {key: row.scores[column] for key, row in self.rows.items()}

    def mean(self, column: str) -> Interval:
        """Over rows, with its interval over items."""
        return interval(self.values(column))


def write_page(
    out: Path, cells: Sequence[Named], sets: Sequence[str], missing: Sequence[str]
) -> Path:
    """Write docs/ladder.md and its plot from the cells' evaluations.

    Args:
        out: folder of the cells.
        cells: those that are finished.
        sets: that they were scored on.
        missing: names of cells that are not finished.
    """
    steps = {name: read_steps(out, cells, name) for name in sets}
    plot(steps, DOCS / "images/ladder.png")
    text = (HERE / "page.md").read_text(encoding="utf-8")
    parts = {
        "tables": "\n\n".join(section(name, steps[name]) for name in sets),
        "teacher": teacher_line(out),
        "budget": budget_line(out / cells[0][2]),
        "missing": f"\n\nCells without figures yet: {', '.join(missing)}." if missing else "",
    }
    for name, part in parts.items():
        text = text.replace("{" + name + "}", part)
    page = DOCS / "ladder.md"
    page.write_text(text, encoding="utf-8")
    return page


def read_steps(out: Path, cells: Sequence[Named], dataset: str) -> dict[Place, Step]:
    """The rows of all cells, averaged over seeds."""
    runs: dict[Place, list[dict[tuple[str, str], Row]]] = defaultdict(list)
    for regime, sources, name in cells:
        rows = read_rows(out / name / f"eval-{dataset}" / "rows.jsonl")
        runs[regime, sources].append({(r.item, r.stem): r for r in rows if r.system == SYSTEM})
    return {place: Step(over_seeds(each), len(each)) for place, each in runs.items()}


def over_seeds(runs: Sequence[dict[tuple[str, str], Row]]) -> dict[tuple[str, str], Row]:
    """Rows with the means of their runs' figures."""
    return {
        key: replace(
            row, scores={c: float(np.mean([run[key].scores[c] for run in runs])) for c in COLUMNS}
        )
        for key, row in runs[0].items()
    }


def interval(values: dict[tuple[str, str], float]) -> Interval:
    """Of a mean over rows; stems of an item belong together."""
    keys = sorted(values)
    return bootstrap_ci([values[key] for key in keys], [item for item, _ in keys])


def difference(first: Step, second: Step, column: str) -> Interval:
    """First minus second, over the rows of both."""
    one, other = first.values(column), second.values(column)
    return interval({key: one[key] - other[key] for key in one})


def section(dataset: str, steps: dict[Place, Step]) -> str:
    """A test set's tables."""
    lines = [
        f"### {TITLES[dataset]}",
        "",
        "| regime | sources in a training mixture | seeds | SDR v3, dB | SI-SDRi, dB |",
        "|---|---|---|---|---|",
    ]
    for (regime, sources), step in steps.items():
        figures = " | ".join(shown(step.mean(column)) for column in COLUMNS)
        lines.append(f"| {regime} | {sources} | {step.seeds} | {figures} |")
    lines += [
        "",
        "| difference | SDR v3, dB | SI-SDRi, dB |",
        "|---|---|---|",
        *(line for pair in pairs(steps) for line in difference_line(steps, *pair)),
    ]
    return "\n".join(lines)


def pairs(steps: dict[Place, Step]) -> list[tuple[Place, Place]]:
    """What is compared with what: each regime with mix-and-separate, and with supervision."""
    against = [(place, (UNSUPERVISED, place[1])) for place in steps if place[0] != UNSUPERVISED]
    above = [(place, (SUPERVISED, 2)) for place in steps if place[0].startswith(("weak", "semi"))]
    return against + above


def difference_line(steps: dict[Place, Step], one: Place, other: Place) -> list[str]:
    """A row of the table of differences, if both are there."""
    if one not in steps or other not in steps:
        return []
    figures = " | ".join(shown(difference(steps[one], steps[other], c)) for c in COLUMNS)
    return [f"| {one[0]} ({one[1]}) less {other[0]} ({other[1]}) | {figures} |"]


def shown(value: Interval) -> str:
    """A mean with its interval."""
    return f"{value.point:.2f} [{value.low:.2f}, {value.high:.2f}]"


def teacher_line(out: Path) -> str:
    """What the ladder's CLAP knows of the sounds that the ladder mixes."""
    config = load_config(HERE / "separator.yaml", [f"clap={(out / 'clap').resolve()}"])
    teacher = load_teacher(str(out / "clap"))
    assert isinstance(teacher, SmallTeacher)
    figures = clap_figures(*teacher.towers, prepare(config).pantry("train"))
    return (
        f"{figures['accuracy_all']:.1%} of the clips that the ladder mixes have their own label's "
        f"name nearest, of all labels; of ESC-10's clips among them {figures['accuracy_esc']:.1%}"
    )


def budget_line(cell: Path) -> str:
    """What every cell was given."""
    config = json.loads((cell / "config.json").read_text(encoding="utf-8"))
    return (
        f"{config['steps']} steps of {config['batch']} mixtures of {config['seconds']:g} s, "
        f"widths {config['network']['widths']}"
    )


def plot(ladders: Mapping[str, dict[Place, Step]], path: Path) -> None:
    """Bars of SDR v3 by regime and number of sources, a panel for every set of recordings."""
    figure = Figure(figsize=(8, 3 * len(ladders)), layout="constrained")
    panels = figure.subplots(len(ladders), sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, (dataset, steps) in zip(panels, ladders.items(), strict=True):
        bars(axes, steps)
        axes.set_title(TITLES[dataset])
    panels[0].legend()
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=110)


def bars(axes: Axes, steps: dict[Place, Step]) -> None:
    """The steps of a ladder side by side, with their intervals."""
    regimes = list(dict.fromkeys(regime for regime, _ in steps))
    counts = sorted({sources for _, sources in steps})
    for offset, sources in enumerate(counts):
        rows = [(regimes.index(r), s.mean("sdr_v3")) for (r, n), s in steps.items() if n == sources]
        at = [x + (offset - (len(counts) - 1) / 2) * 0.38 for x, _ in rows]
        errors = np.array([[m.point - m.low, m.high - m.point] for _, m in rows]).T
        label = f"{sources} sources in a training mixture"
        axes.bar(at, [m.point for _, m in rows], 0.36, yerr=errors, capsize=3, label=label)
    axes.set_xticks(range(len(regimes)), regimes)
    axes.set_ylabel("SDR v3, dB")
    axes.grid(axis="y", alpha=0.3)
