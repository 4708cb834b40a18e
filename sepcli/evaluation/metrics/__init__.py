"""One metric per file, in float64, with its theory and references.

Every file has the same parts: a header with theory, sources and what the metric is blind to;
`validate`; pure functions; and `evaluate`, which scores a `Scene`. `METRICS` is the closed list
of their names. A file is imported when its metric is first asked for, since some need libraries
that take long to import or that come with an extra.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from sepcli.evaluation.scene import Compat, Scene, Scores


class Evaluate(Protocol):
    """Score a scene."""

    def __call__(self, scene: Scene, compat: Compat = "sepcli") -> Scores: ...


@dataclass(frozen=True)
class Metric:
    """An entry of the list.

    Attributes:
        module: file in this folder.
        summary: one line, as `sepcli eval metrics` prints it.
        columns: what `evaluate` returns -> unit ("dB", "LU", "", ...).
        higher_is_better: None where neither is (a level, an error with a sign).
        extra: of sepcli, which must be installed; empty if none.
        function: in the module, with the signature of `Evaluate`.
    """

    module: str
    summary: str
    columns: Mapping[str, str]
    higher_is_better: bool | None = True
    extra: str = ""
    function: str = "evaluate"

    def load(self) -> Evaluate:
        """The function that scores.

        Raises:
            ImportError: if the extra is missing.
        """
        module = import_module(f"sepcli.evaluation.metrics.{self.module}")
        return cast(Evaluate, getattr(module, self.function))
