"""summary.json: what a run's rows come to, and everything that gives its figures a meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sepcli
from sepcli.evaluation.aggregate import AGGREGATIONS, CLASS, aggregate, by_fact, by_stem
from sepcli.evaluation.batch import Unscored
from sepcli.evaluation.metrics.catalogue import METRICS
from sepcli.evaluation.probes import query_figures
from sepcli.evaluation.protocols import Protocol
from sepcli.evaluation.results import ABSENT, LEAKAGE, SYSTEM, Row, encode
from sepcli.evaluation.scoring import Settings
from sepcli.evaluation.systems import System

SCHEMA = 1
PRESENCE = {"unit": "", "higher_is_better": True}
PARAPHRASE = "paraphrase-"
PROBES = (SYSTEM, ABSENT, LEAKAGE)


@dataclass(frozen=True)
class About:
    """What was evaluated.

    Attributes:
        protocol: its id.
        dataset: name, title, licence, split and completeness.
        items: that were to be scored.
        items_hash: of their names and sizes.
        notes: what a reader has to know before the figures.
        command: that makes the same figures.
    """

    protocol: str
    dataset: Mapping[str, str]
    items: int
    items_hash: str
    notes: tuple[str, ...]
    command: str


def summarise(
    about: About,
    settings: Settings,
    system: System,
    rows: Sequence[Row],
    failures: Sequence[Unscored],
    of_set: Mapping[str, Mapping[str, float]],
) -> dict[str, Any]:
    """The content of summary.json, strict JSON: null where a figure is undefined.

    Args:
        about: what was evaluated.
        settings: what was computed.
        system: that made the estimates.
        rows: of all items, in order.
        failures: of the items without rows.
        of_set: figures of the whole data set.
    """
    own = [row for row in rows if row.system == SYSTEM]
    columns = columns_of(settings.metrics, own)
    primary = primary_column(settings.protocol, columns)
    stems = {column: _dicts(by_stem(own, column)) for column in columns}
    summary = {
        "schema": SCHEMA,
        "sepcli": sepcli.__version__,
        "notes": list(about.notes),
        "protocol": described(about.protocol, settings, primary),
        "dataset": dict(about.dataset),
        "items": about.items,
        "items_hash": about.items_hash,
        "system": {"kind": system.kind, "name": system.name, "fingerprint": system.fingerprint},
        "seed": 0,
        "command": about.command,
        "columns": columns,
        "stems": stems,
        "headline": headline(own, settings.protocol, primary),
        "aggregations": {column: aggregations(own, column) for column in columns},
        "set": of_set,
        "groups": groups(own, list(columns)),
        "reference_systems": reference_systems(rows, list(columns)),
        "flags": counted_flags(own),
        "failures": [{"item": f.item, "error": f.error, "help": f.help} for f in failures],
    }
    if query := query_figures(rows, list(columns)):
        summary["query"] = query
    return dict(encode(summary))


def columns_of(metrics: Sequence[str], rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Column -> unit and direction, of what was computed."""
    columns: dict[str, dict[str, Any]] = {}
    for name in metrics:
        metric = METRICS[name]
        for column, unit in metric.columns.items():
            columns[column] = {"unit": unit, "higher_is_better": metric.higher_is_better}
    if any("presence" in row.scores for row in rows):
        columns["presence"] = dict(PRESENCE)
    return columns


def primary_column(protocol: Protocol, columns: Mapping[str, object]) -> str:
    """The headline's column: the protocol's, or the first one if that was not computed."""
    return protocol.primary if protocol.primary in columns else next(iter(columns))


def described(name: str, settings: Settings, primary: str) -> dict[str, Any]:
    """The protocol as it was applied, with a digest that changes with any part of it."""
    applied = settings.protocol.model_dump(mode="json")
    applied |= {"metrics": list(settings.metrics), "primary": primary}
    channels = "mono" if settings.protocol.mono else "as recorded"
    weights = dict(settings.checkpoints)
    digest = settings.protocol.digest
    return {"id": name, "digest": digest, "checkpoints": weights, **applied, "channels": channels}


def headline(rows: Sequence[Row], protocol: Protocol, column: str) -> dict[str, Any]:
    """The figure a paper would print, with its interval."""
    interval = AGGREGATIONS[protocol.aggregate](rows, column)
    return {
        "column": column,
        "value": interval.point,
        "low": interval.low,
        "high": interval.high,
        "how": protocol.aggregate,
    }


def aggregations(rows: Sequence[Row], column: str) -> dict[str, float]:
    """One column condensed in all the ways that papers do."""
    return {name: condense(rows, column).point for name, condense in AGGREGATIONS.items()}


def groups(rows: Sequence[Row], columns: Sequence[str]) -> dict[str, Any]:
    """Tables by fact; that of classes is left out where the stems are the classes."""
    tables = by_fact(rows, columns)
    if all(row.facts.get(CLASS, row.stem) == row.stem for row in rows):
        tables.pop(CLASS, None)
    return {
        fact: {name: _dicts(row) for name, row in table.items()} for fact, table in tables.items()
    }


def reference_systems(rows: Sequence[Row], columns: Sequence[str]) -> dict[str, Any]:
    """What the mixture, silence and oracles score on the same data."""
    names = dict.fromkeys(row.system for row in rows)
    others = [n for n in names if n not in PROBES and not n.startswith(PARAPHRASE)]
    return {
        name: {
            column: asdict(aggregate([row for row in rows if row.system == name], column))
            for column in columns
            if column != "presence"
        }
        for name in others
    }


def counted_flags(rows: Sequence[Row]) -> dict[str, int]:
    """How many stems have what makes figures undefined."""
    names = sorted({flag for row in rows for flag in row.flags})
    return {name: sum(name in row.flags for row in rows) for name in names}


def _dicts(aggregates: Mapping[str, Any]) -> dict[str, Any]:
    return {name: asdict(found) for name, found in aggregates.items()}
