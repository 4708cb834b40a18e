"""What losses compare: a network's answers, beside what they should be."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sepcli.training.networks import Masker

WINDOW_SUM = 511.0  # of the paper's Hann window of 1022 samples


@dataclass(frozen=True)
class Comparison:
    """Answers and targets. Leading dimensions are broadcast.

    Attributes:
        estimate: (..., bins, frames), complex.
        target: (..., bins, frames), complex.
        mixture: (..., bins, frames), complex: what the estimate was made of.
        masker: whose spectrograms these are.
        samples: of the waveforms.
    """

    estimate: Tensor
    target: Tensor
    mixture: Tensor
    masker: Masker
    samples: int

    def waves(self) -> tuple[Tensor, Tensor]:
        """Of the estimate and the target, (..., samples)."""
        estimate = self.masker.waveform(self.estimate, self.samples)
        return estimate, self.masker.waveform(self.target, self.samples)


def paper_magnitude(spec: Tensor, masker: Masker) -> Tensor:
    """Linear magnitudes in the unit in which the paper's weights are meant.

    A constant 1 has magnitude WINDOW_SUM at 0 Hz there; the transforms of other networks may be
    scaled otherwise, and log(1 + magnitude) knows the difference.

    Args:
        spec: (..., bins, frames), complex, of `masker`.
    """
    ones = masker.spectrogram(torch.ones(1, masker.rate // 4))  # 0.25 s: longer than two windows
    unit = float(ones[0, 0, ones.shape[-1] // 2].abs())
    return spec.abs() * (WINDOW_SUM / unit)
