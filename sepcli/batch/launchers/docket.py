"""Which rows are still to be done, and which of them are suspected of killing workers."""

from __future__ import annotations

from array import array
from collections import Counter, deque
from collections.abc import Iterable

from sepcli.batch.launchers.crew import Rows

STRIKES = 2  # workers that a row may kill before it is quarantined


class Docket:
    """Chunks of rows that nobody has in hand.

    Args:
        chunks: in the order in which they are given out.
    """

    def __init__(self, chunks: Iterable[Rows]) -> None:
        self._chunks = deque(chunk for chunk in chunks if len(chunk))
        self._strikes: Counter[int] = Counter()

    def __len__(self) -> int:
        return sum(map(len, self._chunks))

    def take(self) -> Rows | None:
        """The next chunk, or None if there is none."""
        return self._chunks.popleft() if self._chunks else None

    def put_back(self, rows: Rows) -> None:
        """Rows that a worker was given and never touched; they come next."""
        if len(rows):
            self._chunks.appendleft(rows)

    def suspect(self, row: int) -> bool:
        """A worker died with this row in hand; returns whether that is the last time.

        Until then it comes last, and alone: if it kills again, nothing else is in hand, and no
        other row is blamed for it.
        """
        self._strikes[row] += 1
        if self._strikes[row] >= STRIKES:
            return True
        self._chunks.append(array("q", [row]))
        return False
