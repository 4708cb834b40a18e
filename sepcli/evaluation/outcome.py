"""What an evaluation leaves behind: rows, summary and report, and whether it was good enough."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sepcli.errors import ItemError
from sepcli.evaluation.datasets.base import Example
from sepcli.evaluation.options import parse_threshold
from sepcli.evaluation.plan import Plan
from sepcli.evaluation.report.write import write_report, write_together
from sepcli.evaluation.results import SYSTEM, decode_score, to_line
from sepcli.evaluation.runs import ROWS, SUMMARY
from sepcli.evaluation.scene import Array
from sepcli.evaluation.scoring import prepare
from sepcli.evaluation.set_metrics import set_figures
from sepcli.evaluation.summary import summarise


@dataclass(frozen=True)
class Outcome:
    """The end of a run.

    Attributes:
        summary: content of summary.json.
        paths: of the report's files.
        missed: thresholds that were not reached, in words.
        exit_code: 0 if everything was scored and every threshold reached.
    """

    summary: Mapping[str, Any]
    paths: tuple[Path, ...]
    missed: tuple[str, ...]
    exit_code: int


def finish(plan: Plan) -> Outcome:
    """Write the report of a run whose items are scored.

    Raises:
        ItemError: if no item could be scored.
        OutputError: if the report cannot be written.
    """
    evaluation = plan.evaluation
    rows, failures = evaluation.sorted_rows(), evaluation.sorted_failures()
    if not rows:
        first = failures[0]
        raise ItemError(f"nothing could be scored: {first.error}", first.help)
    listening = Listening(plan)
    of_set = set_figures(plan.settings.set_metrics, map(listening.audio_of, evaluation.rows))
    summary = summarise(plan.about, plan.settings, plan.system, rows, failures, of_set)
    texts = {
        ROWS: "".join(to_line(row) + "\n" for row in rows),
        SUMMARY: json.dumps(summary, indent=1, ensure_ascii=False) + "\n",
    }
    paths = write_together(plan.folder, texts)
    paths += write_report(plan.folder, summary, rows, listening.audio_of)
    evaluation.forget()
    missed = missed_thresholds(summary, plan.options.fail_under)
    codes = [failure.exit_code for failure in failures]
    return Outcome(summary, tuple(paths), missed, max([*codes, int(bool(missed))]))


class Listening:
    """Gives items' audio to the report's listening page; the last item is kept."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._items = {item.name: item for item in plan.items}
        self._last: tuple[str, tuple[Example, dict[str, Array]]] | None = None

    def audio_of(self, name: str) -> tuple[Example, dict[str, Array]]:
        """An item as the protocol wants it, and its estimates.

        Raises:
            ItemError: if they cannot be had.
        """
        if self._last is None or self._last[0] != name:
            plan, item = self._plan, self._items[name]
            example = prepare(item, plan.settings)
            made = plan.system.make(item, example, plan.settings.protocol)
            estimates = made.systems[SYSTEM].items()
            self._last = name, (example, {s: np.asarray(w, np.float64) for s, w in estimates})
        return self._last[1]


def missed_thresholds(summary: Mapping[str, Any], thresholds: tuple[str, ...]) -> tuple[str, ...]:
    """Every COLUMN=VALUE whose figure, aggregated as the protocol says, is lower or undefined."""
    how = summary["headline"]["how"]
    missed = []
    for text in thresholds:
        column, wanted = parse_threshold(text)
        figure = decode_score(summary["aggregations"][column][how])
        if not figure >= wanted:
            missed.append(f"{column} is {figure:.2f}, under {wanted:g}")
    return tuple(missed)
