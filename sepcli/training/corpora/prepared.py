"""What became of the sounds that were to be rebuilt, remembered from one run to the next."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from sepcli.errors import UsageError
from sepcli.whole_file import written_whole

State = Literal["same", "changed", "missing", "broken"]
RECORD = "prepared.json"


@dataclass(frozen=True)
class Outcome:
    """What became of one sound.

    Attributes:
        state: `same` if the packaged file is the one that the model was trained on, `changed` if
            another one was cut in its place, `missing` if the package has none, `broken` if it
            cannot be decoded.
        version: of the package.
    """

    state: State
    version: str

    @property
    def written(self) -> bool:
        """Whether there is a clip."""
        return self.state in ("same", "changed")


class Prepared:
    """The outcomes of a folder, in its `prepared.json`.

    Args:
        folder: of the corpus; may not exist yet.

    Attributes:
        outcomes: clip's file -> what became of it.

    Raises:
        UsageError: if the file is there and is not what was written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / RECORD
        self.outcomes: dict[str, Outcome] = {}
        if self._path.exists():
            try:
                rows = json.loads(self._path.read_text(encoding="utf-8"))
                self.outcomes = {file: Outcome(**row) for file, row in rows.items()}
            except (OSError, ValueError, TypeError, AttributeError) as error:
                message = f"cannot read {self._path}: {error}"
                raise UsageError(message, "delete it, and all is prepared anew") from error

    def settled(self, file: str) -> bool:
        """Whether a clip is there, or was tried in vain."""
        return file in self.outcomes and (not self.outcomes[file].written or self.written(file))

    def written(self, file: str) -> bool:
        """Whether a clip is there, whole."""
        outcome = self.outcomes.get(file)
        return outcome is not None and outcome.written and (self._folder / file).is_file()

    def add(self, outcomes: Mapping[str, Outcome]) -> None:
        """Remember more outcomes, safe against a kill at any moment.

        Raises:
            OutputError: if the disk is full or read-only.
        """
        self.outcomes.update(outcomes)
        rows = {file: asdict(outcome) for file, outcome in self.outcomes.items()}
        with written_whole(self._path) as partial:
            partial.write_text(json.dumps(rows, indent=0, ensure_ascii=False), encoding="utf-8")


@dataclass(frozen=True)
class Rebuilt:
    """A report.

    Attributes:
        outcomes: wanted clip's file -> what became of it, None if its package was not to be had.
        unfetched: package -> why it was not to be had.
    """

    outcomes: Mapping[str, Outcome | None]
    unfetched: Mapping[str, str]

    @property
    def counts(self) -> dict[str, int]:
        """State, or `unfetched` -> how many clips."""
        return dict(Counter(row.state if row else "unfetched" for row in self.outcomes.values()))

    @property
    def complete(self) -> bool:
        """Whether every clip is there, and cut from the file that the model was trained on."""
        return set(self.counts) <= {"same"}

    def troubles(self) -> Iterator[str]:
        """A line for every package that was not to be had, and for every clip not as it was."""
        yield from self.unfetched.values()
        for file, outcome in self.outcomes.items():
            if outcome and outcome.state != "same":
                yield f"{file}: {outcome.state} in version {outcome.version} of its package"
