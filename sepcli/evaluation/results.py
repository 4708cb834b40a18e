"""The rows that an evaluation leaves behind, and how they are written as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sepcli.evaluation.datasets.base import Fact

SYSTEM = "estimate"  # the system under test
ABSENT = "absent"  # its answer to a query for what is not heard
LEAKAGE = "leakage"  # what of a source is in that answer


@dataclass(frozen=True)
class Row:
    """The figures of one stem of one item.

    Attributes:
        item: its name.
        stem: which reference.
        system: "estimate" for what is evaluated; "paraphrase-N", "absent" and "leakage" for
            what else it was asked; "mixture", "silence", "oracle-irm" and "oracle-ibm" for
            reference rows computed on the same data.
        estimate: name of the estimate that was compared (a permutation may change it).
        facts: of the item, and of this stem ("class", "query"), for tables.
        flags: "ref_silent", "est_silent", "perfect", "short", ...: what made a figure undefined.
        scores: column -> value; NaN where undefined, infinite where the metric says so.
        frames: column -> (valid, all) of figures that are medians over frames.
        key: of the item's content, the estimates and the protocol.
    """

    item: str
    stem: str
    system: str
    estimate: str
    facts: Mapping[str, Fact]
    flags: tuple[str, ...]
    scores: Mapping[str, float]
    frames: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    key: str = ""


def encode(value: Any) -> Any:
    """As strict JSON: null for NaN, "inf" and "-inf" for infinities, twelve digits of others."""
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(value) if math.isinf(value) else float(f"{value:.12g}")
    if isinstance(value, Mapping):
        return {str(k): encode(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [encode(v) for v in value]
    return value


def decode_score(value: float | str | None) -> float:
    """What `encode` made of a float."""
    return math.nan if value is None else float(value)


def to_line(row: Row) -> str:
    """A row as one line of JSON."""
    return json.dumps(encode(asdict(row)), ensure_ascii=False)


def decode(fields: dict[str, Any]) -> Row:
    """The row that `encode` made a JSON object of."""
    return Row(
        **{
            **fields,
            "flags": tuple(fields["flags"]),
            "scores": {k: decode_score(v) for k, v in fields["scores"].items()},
            "frames": {k: tuple(v) for k, v in fields["frames"].items()},
        }
    )


def rounded(row: Row) -> Row:
    """A row as it will be read back, so that a resumed run and a straight one are the same."""
    return decode(encode(asdict(row)))


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """All rows, one a line."""
    path.write_text("".join(to_line(row) + "\n" for row in rows), encoding="utf-8")


def read_rows(path: Path) -> Iterator[Row]:
    """What `write_rows` wrote."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield decode(json.loads(line))
