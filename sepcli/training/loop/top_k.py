"""The best checkpoints by a validation figure, and when there is no hope for better ones."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sepcli.errors import UsageError

LOWER = "-"  # before the name of a figure of which less is better


@dataclass(frozen=True)
class Scored:
    """Weights, by the step after which they were scored; more is better."""

    score: float
    step: int


class TopK:
    """Ranks validated steps.

    Args:
        select: name of the validation figure; the lowest is best if it begins with -.
        keep: how many checkpoints are worth keeping.
        patience: validations without a better figure that are endured; None for any number.

    Attributes:
        best: all-time best, or None before the first validation.
        kept: steps worth keeping, best first.
    """

    def __init__(self, select: str, keep: int, patience: int | None) -> None:
        self._select = select
        self._name, self._sign = select.removeprefix(LOWER), -1 if select[:1] == LOWER else 1
        self._keep, self._patience = keep, patience
        self.best: Scored | None = None
        self.kept: list[Scored] = []
        self._in_vain = 0

    @property
    def steps(self) -> list[int]:
        """Steps worth keeping, best first."""
        return [scored.step for scored in self.kept]

    @property
    def exhausted(self) -> bool:
        """Whether patience is."""
        return self._patience is not None and self._in_vain >= self._patience

    def offer(self, step: int, figures: Mapping[str, float]) -> bool:
        """Rank a step; of equals the earlier is better, and what is not a number is worst.

        Returns:
            whether it is better than all before.

        Raises:
            UsageError: if the figure to select by is none of those.
        """
        scored = Scored(self._score(figures), step)
        self.kept = sorted([*self.kept, scored], key=lambda s: (-s.score, s.step))[: self._keep]
        better = self.best is None or scored.score > self.best.score
        if better:
            self.best = scored
        self._in_vain = 0 if better else self._in_vain + 1
        return better

    def _score(self, figures: Mapping[str, float]) -> float:
        if self._name not in figures:
            near = difflib.get_close_matches(self._name, figures, n=1)
            message = f"no validation figure is called {self._name!r}"
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(figures)}"
            raise UsageError(message, f"set `loop: {{select: ...}}`; {hint}")
        score = self._sign * figures[self._name]
        return -math.inf if math.isnan(score) else score

    def state_dict(self) -> dict[str, Any]:
        """Ranks and patience, as plain numbers."""
        return {
            "select": self._select,
            "best": None if self.best is None else [self.best.score, self.best.step],
            "kept": [[scored.score, scored.step] for scored in self.kept],
            "in_vain": self._in_vain,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go back to what `state_dict` gave, unless it ranked by another figure."""
        if state["select"] != self._select:
            return
        self.best = None if state["best"] is None else Scored(*state["best"])
        self.kept = [Scored(*row) for row in state["kept"]][: self._keep]
        self._in_vain = int(state["in_vain"])
