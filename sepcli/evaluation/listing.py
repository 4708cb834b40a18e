"""The catalogues as tables: data sets, metrics, protocols."""

from __future__ import annotations

from sepcli.evaluation.datasets.catalogue import ALIASES, DATASETS
from sepcli.evaluation.metrics.catalogue import METRICS
from sepcli.evaluation.protocols import protocols
from sepcli.evaluation.set_metrics import SET_METRICS

Listing = list[dict[str, str]]  # a dictionary for every row, all with the same keys


def list_datasets() -> Listing:
    """Every data set: what it is, what its folder looks like, and where it comes from."""
    aliases = {name: alias for alias, names in ALIASES.items() for name in names}
    return [
        {
            "name": name,
            "alias": aliases.get(name, ""),
            "title": dataset.title,
            "licence": dataset.licence,
            "size": dataset.size,
            "layout": dataset.signature,
            "from": dataset.how_to_get,
            "protocols": ", ".join(dataset.protocols),
        }
        for name, dataset in DATASETS.items()
    ]


def list_metrics() -> Listing:
    """Every metric with its columns and their units."""
    rows = [
        {
            "name": name,
            "columns": ", ".join(f"{c} ({u})" if u else c for c, u in metric.columns.items()),
            "summary": metric.summary,
            "extra": metric.extra,
        }
        for name, metric in METRICS.items()
    ]
    return rows + [
        {"name": name, "columns": "of the whole set", "summary": summary, "extra": ""}
        for name, summary in SET_METRICS.items()
    ]


def list_protocols() -> Listing:
    """Every protocol with its digest and what decides its figures."""
    return [
        {
            "id": name,
            "digest": protocol.digest,
            "summary": protocol.summary,
            "metrics": ", ".join(protocol.metrics),
            "primary": protocol.primary,
            "aggregate": protocol.aggregate,
            "compat": protocol.compat,
            "source": protocol.source,
        }
        for name, protocol in protocols().items()
    ]
