"""Where sepcli keeps its own files. SEPCLI_HOME puts all of them into one folder."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def config_folder() -> Path:
    """Where the user's own registry and models.lock are."""
    home = os.environ.get("SEPCLI_HOME")
    return Path(home) if home else platformdirs.user_config_path("sepcli")


def cache_folder() -> Path:
    """Where embeddings and downloads are kept; may be deleted at any time."""
    home = os.environ.get("SEPCLI_HOME")
    return Path(home) / "cache" if home else platformdirs.user_cache_path("sepcli")
