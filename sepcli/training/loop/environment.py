"""What a run was computed with; nothing that tells whose machine it was."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

import sepcli
from sepcli.training.loop.distributed import world_size

PACKAGES = ("torch", "torchaudio", "numpy", "scipy", "soundfile", "soxr")


def environment(device: torch.device) -> dict[str, Any]:
    """Versions and hardware."""
    return {
        "sepcli": sepcli.__version__,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "device": device_name(device),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "processes": world_size(),
        "cuda": torch.version.cuda,
    }


def device_name(device: torch.device) -> str:
    """As its maker calls it, if it is an NVIDIA GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
