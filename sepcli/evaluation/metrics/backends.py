"""Whose code computes a metric: ours, or for BSS Eval the original it reproduces."""

from __future__ import annotations

from typing import Literal

from sepcli.errors import UsageError
from sepcli.evaluation.metrics import Evaluate, originals
from sepcli.evaluation.metrics.catalogue import find

Backend = Literal["sepcli", "mir_eval", "museval"]

ORIGINALS: dict[tuple[str, str], Evaluate] = {
    ("mir_eval", "bss_v3"): originals.evaluate_mir_eval,
    ("mir_eval", "bss_images_v3"): originals.evaluate_mir_eval_images,
    ("museval", "bss_v4"): originals.evaluate_museval,
}


def load(name: str, backend: Backend = "sepcli") -> Evaluate:
    """The function that computes a metric; a backend that does not know it leaves it to ours.

    Raises:
        UsageError: if the metric is unknown, or its extra is not installed.
    """
    if (backend, name) in ORIGINALS:
        return ORIGINALS[backend, name]
    metric = find(name)
    try:
        return metric.load()
    except ImportError as error:
        remedy = f"install it: pip install 'sepcli[{metric.extra}]'"
        raise UsageError(f"metric {name} is not installed: {error}", remedy) from error
