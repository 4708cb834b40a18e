"""Which weights the metrics that listen with a network use: they decide what a figure means."""

from __future__ import annotations

from collections.abc import Iterable


def checkpoints_of(metrics: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """(metric, SHA-256 of its weights) of those metrics that have weights.

    Raises:
        ModelError: if the weights are not there.
    """
    return tuple((name, checkpoint) for name in metrics if (checkpoint := checkpoint_of(name)))


def checkpoint_of(metric: str) -> str:
    """SHA-256 of a metric's weights; empty if it has none."""
    if metric in ("clap_score", "fad"):
        from sepcli.evaluation.metrics import clap_score

        return clap_score.checkpoint_id()
    if metric == "mapss":
        from sepcli.evaluation.metrics import mapss_backbones

        return mapss_backbones.checkpoint_id(mapss_backbones.chosen())
    return ""
