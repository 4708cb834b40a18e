"""Who gets what when several stems claim the same energy.

Both rules work on spectrograms of the stems (40 ms windows, 10 ms hop) with one gain for all
channels, so they serve every network and leave the stereo image alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sepcli.audio.stft import istft, stft

TINY = 1e-9


def share(stems: Tensor, mixture: Tensor, rate: int) -> Tensor:
    """Make stems compete: where their magnitudes sum to more than the mixture's, scale them.

        S_k' = S_k min(1, |X| / sum_j |S_j|)

    Args:
        stems: (batch, stems, channels, samples).
        mixture: (batch, channels, samples).
        rate: Hz, a multiple of 100.

    Returns:
        stems whose magnitudes, with that of the rest, sum to the mixture's.
    """
    spec = stft(stems, rate)
    claimed = _magnitude(spec).sum(dim=1, keepdim=True)
    gain = (_magnitude(stft(mixture, rate)[:, None]) / claimed.clamp(min=TINY)).clamp(max=1.0)
    return istft(spec * gain[:, :, None], rate, stems.shape[-1])


def deny(stems: Tensor, denied: Tensor, mixture: Tensor, rate: int) -> Tensor:
    """Take from stems what was asked not to be in them.

        S_k' = S_k prod_j (1 - min(1, |N_j| / |X|))

    Args:
        stems: (batch, stems, channels, samples).
        denied: (batch, negatives, channels, samples), the negative queries' stems.
        mixture: (batch, channels, samples).
        rate: Hz, a multiple of 100.

    Returns:
        (batch, stems, channels, samples).
    """
    whole = _magnitude(stft(mixture, rate)[:, None]).clamp(min=TINY)
    left = (1 - (_magnitude(stft(denied, rate)) / whole).clamp(max=1.0)).prod(dim=1, keepdim=True)
    return istft(stft(stems, rate) * left[:, :, None], rate, stems.shape[-1])


def _magnitude(spec: Tensor) -> Tensor:
    """(batch, stems, channels, bins, frames) -> RMS over channels."""
    power: Tensor = spec.real.square() + spec.imag.square()
    return torch.sqrt(power.mean(dim=2))
