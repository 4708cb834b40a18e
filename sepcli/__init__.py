"""sepcli: describe a sound, and take it out of the recording.

import sepcli

report = sepcli.separate("mix.wav", "dog barking", output="out")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sepcli.separation.api import separate, stream
    from sepcli.separation.options import SeparateOptions
    from sepcli.separation.queries import Query
    from sepcli.separation.report import Report

__version__ = "0.1.0"
__all__ = ["Query", "Report", "SeparateOptions", "separate", "stream"]

_HOMES = {
    "separate": "sepcli.separation.api",
    "stream": "sepcli.separation.api",
    "SeparateOptions": "sepcli.separation.options",
    "Query": "sepcli.separation.queries",
    "Report": "sepcli.separation.report",
}


def __getattr__(name: str) -> Any:
    # Loaded when first used, so that `sepcli --help` need not wait for torch.
    if name not in _HOMES:
        raise AttributeError(f"module 'sepcli' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
