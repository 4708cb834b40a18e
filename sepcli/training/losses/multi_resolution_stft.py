"""Multi-resolution STFT loss (Yamamoto et al., 2020, "Parallel WaveGAN", eq. 4 to 6).

Magnitudes at several resolutions; the phase matters only as far as it shows in them.
"""

from __future__ import annotations

import torch
from torch import Tensor

# FFT size, hop and window in samples (table 1 there, for 24 kHz).
RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
FLOOR = 1e-7  # least power of a bin


def multi_resolution_stft_loss(estimate: Tensor, target: Tensor) -> Tensor:
    """The mean over RESOLUTIONS of spectral convergence and log magnitude distance.

        | |S| - |Y| |_F / | |S| |_F  +  mean |log |S| - log |Y||

    Args:
        estimate: (..., samples).
        target: (..., samples). Leading dimensions are broadcast.

    Returns:
        (...)
    """
    rows = [distance(estimate, target, *sizes) for sizes in RESOLUTIONS]
    return torch.stack(rows).mean(dim=0)


def distance(estimate: Tensor, target: Tensor, fft: int, hop: int, window: int) -> Tensor:
    """Spectral convergence and log magnitude distance at one resolution, (...)."""
    y, s = (magnitude(wave, fft, hop, window) for wave in (estimate, target))
    convergence: Tensor = (s - y).norm(dim=(-2, -1)) / s.norm(dim=(-2, -1))
    return convergence + (s.log() - y.log()).abs().mean((-2, -1))


def magnitude(wave: Tensor, fft: int, hop: int, window: int) -> Tensor:
    """(..., samples) -> (..., bins, frames), at least the root of FLOOR."""
    flat = wave.reshape(-1, wave.shape[-1])
    hann = torch.hann_window(window, dtype=wave.dtype, device=wave.device)
    spec = torch.stft(flat, fft, hop, window, hann, pad_mode="constant", return_complex=True)
    power = spec.real.square() + spec.imag.square()
    return power.clamp(min=FLOOR).sqrt().reshape(*wave.shape[:-1], *spec.shape[-2:])
