"""A row of the table: a fault, what must come of it, and what was observed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Observed:
    """What was counted while a fault was provoked.

    Attributes:
        trials: what was done, and how often.
        counts: of what must never happen; all must be 0.
        faults: what happened, in words, for whoever mends it.
        figures: more that is worth telling.
    """

    trials: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    figures: dict[str, object] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Whether all is as required, and something was tried at all."""
        return bool(self.trials) and all(self.trials.values()) and not any(self.counts.values())

    def never(self, *names: str) -> None:
        """Begin to count what must never happen."""
        self.counts |= dict.fromkeys(names, 0)

    def tried(self, name: str) -> None:
        """Count a trial."""
        self.trials[name] = self.trials.get(name, 0) + 1

    def happened(self, name: str, what: str) -> None:
        """Count what must never happen, and remember what it was."""
        self.counts[name] += 1
        self.faults.append(f"{name}: {what}")

    def expect(self, fulfilled: bool, name: str, what: str) -> None:
        """Count it if something is not as it must be."""
        if not fulfilled:
            self.happened(name, what)


@dataclass(frozen=True)
class Row:
    """A fault that is provoked on purpose.

    Attributes:
        fault: as the table calls it.
        must: what has to come of it.
        provoke: works in an empty folder, with fewer trials if it is to be quick.
    """

    fault: str
    must: str
    provoke: Callable[[Path, bool], Observed]
