"""TIGER layer by layer, as its description and its checkpoints have it: the same numbers, slower.

Our network computes bands of one width together, all heads of an attention as one convolution, and
keeps the channels of a step side by side in memory. Here every band, every head and every
convolution is a call of its own, as in its authors' code.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import torch
from torch import Tensor
from torch.nn import functional as F

from sepcli.nets import tiger_scales
from sepcli.nets.tiger_attention import Heads
from sepcli.nets.tiger_bands import BandMasks, BandSplit, summing_to_one
from sepcli.nets.tiger_scales import MultiScale


@contextmanager
def plainly() -> Iterator[None]:
    """TIGERs compute layer by layer, as long as the context is open."""
    plain = (
        (BandSplit, "forward", band_features),
        (BandMasks, "forward", band_masks),
        (Heads, "forward", heads),
        (MultiScale, "forward", scales),
        (tiger_scales, "convolved", lambda conv, x: conv(x)),
        (tiger_scales, "pooled", pooled),
    )
    with ExitStack() as stack:
        for owner, name, replacement in plain:
            stack.enter_context(patch.object(owner, name, replacement))
        yield


def band_features(self: BandSplit, spec: Tensor) -> Tensor:
    """(items, bins, frames), complex -> (items, bands, features, frames)."""
    bands = zip(self, torch.split(spec, widths(self), dim=1), strict=True)
    parts = ((band, torch.view_as_real(bins).permute(0, 3, 1, 2)) for band, bins in bands)
    return torch.stack([band(part.flatten(1, 2)) for band, part in parts], dim=1)


def widths(bands: BandSplit) -> list[int]:
    """Bins of every band."""
    return [run.width for run in bands.runs for _ in range(run.count)]


def band_masks(self: BandMasks, features: Tensor) -> Tensor:
    """(items, bands, features, frames) -> (items, sources, bins, frames), complex."""
    masks = []
    for number, band in enumerate(self):
        y = band(features[:, number]).unflatten(1, (2, 2, self.sources, -1))
        parts = summing_to_one((y[:, 0] * y[:, 1].sigmoid())[:, None])[:, 0]
        masks.append(torch.complex(parts[:, 0], parts[:, 1]))
    return torch.cat(masks, dim=2)


def heads(self: Heads, x: Tensor) -> Tensor:
    """(items, inputs, a, b) -> (items, heads, outputs, a, b)."""
    return torch.stack([head(x) for head in self], dim=1)


def scales(self: MultiScale, x: Tensor) -> Tensor:
    """(sequences, features, length), and the same."""
    levels = self._levels(x)
    about = self.globalatt(pooled(levels))
    fused = [s(level, about) for s, level in zip(self.loc_glo_fus, levels[:-1], strict=False)]
    merged = fused[-2]
    for select, level in reversed(list(zip(self.last_layer, fused, strict=True))):
        merged = select(level, merged)
    return x + self.res_conv(merged)


def pooled(levels: Sequence[Tensor]) -> Tensor:
    """The sum of all levels, each averaged to the length of the last."""
    return sum(F.adaptive_avg_pool1d(level, levels[-1].shape[-1]) for level in levels)
