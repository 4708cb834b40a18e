"""Models whose files are on a server of this machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from sepcli.registry.schema import ModelFile, check
from sepcli.registry.store import Model

BODY = np.random.default_rng(3).bytes(300_000)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def published(url: str, content: bytes = BODY, **more: object) -> ModelFile:
    """What a registry that knows a file says of it."""
    facts = {"source": url, "sha256": sha256(content), "size": len(content), **more}
    return ModelFile.model_validate(facts)


def model_of(name: str = "remote", **files: ModelFile) -> Model:
    """A model with these files."""
    entry = {
        "summary": "from a server",
        "architecture": "band-unet",
        "stems": ["a"],
        "files": {role: file.model_dump() for role, file in files.items()},
        "licence": {"code": "MIT", "weights": "CC0-1.0"},
        "training_data": "none",
    }
    file = check({"version": 1, "models": {name: entry}}, "x")
    return Model(name, file.models[name], Path(), Path("weights.yaml"))
