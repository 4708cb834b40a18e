"""How near sounds and texts are in a joint space."""

from __future__ import annotations

import torch
from torch import Tensor


def similarities(audio: Tensor, texts: Tensor, scale: Tensor | float) -> Tensor:
    """Scaled cosines, in full precision: at a scale of 100 those of bfloat16 are off by a half.

    Args:
        audio: (sounds, embedding), of length 1.
        texts: (texts, embedding), of length 1.
        scale: inverse temperature.

    Returns:
        (sounds, texts)
    """
    with torch.autocast(audio.device.type, enabled=False):
        return scale * at_least_float(audio) @ at_least_float(texts).T


def at_least_float(x: Tensor) -> Tensor:
    """In single precision, or double if it is that already."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
