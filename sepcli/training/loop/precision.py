"""Arithmetic in 16 bits where it does no harm (automatic mixed precision).

bf16 has the range of float32 and needs nothing else. fp16 has a smaller range: small gradients
would vanish, so the loss is scaled up before they are computed, and a step whose gradients
overflow is skipped with a smaller scale from then on (Micikevicius et al., 2018).
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Literal

import torch
from torch.amp.autocast_mode import autocast
from torch.amp.grad_scaler import GradScaler

from sepcli.errors import UsageError

PrecisionName = Literal["float32", "bf16", "fp16"]

TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Precision:
    """How a device computes.

    Args:
        name: see `LoopConfig.precision`.
        device: that computes.

    Attributes:
        scaler: of losses; does nothing unless the precision is fp16.

    Raises:
        UsageError: if the device cannot.
    """

    def __init__(self, name: PrecisionName, device: torch.device) -> None:
        refuse_impossible(name, device)
        self._name, self._device = name, device
        self.scaler = GradScaler(device.type, enabled=name == "fp16")

    def autocast(self) -> AbstractContextManager[object]:
        """Around the forward pass."""
        return autocast(self._device.type, dtype=TYPES.get(self._name), enabled=self._name in TYPES)


def refuse_impossible(name: PrecisionName, device: torch.device) -> None:
    """fp16 is for NVIDIA GPUs, bf16 for newer ones and CPUs.

    Raises:
        UsageError: if the device cannot compute so.
    """
    remedy = "set `loop: {precision: float32}`"
    if name == "fp16" and device.type != "cuda":
        message = f"precision fp16 needs an NVIDIA GPU, and this runs on {device.type}"
        raise UsageError(message, f"{remedy}, or bf16 on a CPU")
    if name == "bf16" and device.type == "mps":
        raise UsageError("precision bf16 is for NVIDIA GPUs and CPUs, not for mps", remedy)
    if name == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise UsageError("this GPU does not compute in bf16", f"{remedy}, or fp16")
