"""The folder of a training run: what it was asked, how it went, where it stands."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sepcli.training.config import RunConfig


class RunFolder:
    """A run's files. Every write leaves either the old file or the new one, never a part.

    Args:
        path: created if it is not there.
        config: written to config.json.
    """

    def __init__(self, path: Path, config: RunConfig) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        (path / "config.json").write_text(config.model_dump_json(indent=1), encoding="utf-8")
        self._started = time.monotonic()

    def log(self, step: int, **values: float) -> None:
        """Append a line of figures."""
        seconds = round(time.monotonic() - self._started, 1)
        line = {"step": step, "seconds": seconds, **{k: round(v, 4) for k, v in values.items()}}
        with (self.path / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def save(self, step: int, parts: Mapping[str, Any], name: str = "checkpoint.pt") -> None:
        """Replace a checkpoint by one of the given state dicts."""
        partial = self.path / f"{name}.partial"
        torch.save({"step": step, **parts}, partial)
        partial.replace(self.path / name)

    def load(self, name: str = "checkpoint.pt") -> dict[str, Any] | None:
        """A checkpoint, if there is one."""
        path = self.path / name
        if not path.exists():
            return None
        state: dict[str, Any] = torch.load(path, weights_only=True)
        return state


class Average:
    """Exponential moving average of a network's weights and buffers.

    The decay warms up as (1 + n) / (10 + n), so early weights are forgotten quickly.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.state = {key: value.clone() for key, value in network.state_dict().items()}

    def update(self, network: nn.Module) -> None:
        """Move towards the network's present state."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        for key, value in network.state_dict().items():
            mine: Tensor = self.state[key]
            if value.is_floating_point():
                mine.lerp_(value, 1 - decay)
            else:
                mine.copy_(value)
