"""The multi-resolution STFT loss against closed forms and NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sepcli.training.losses.multi_resolution_stft import multi_resolution_stft_loss

Wave = NDArray[np.float64]


def waves(count: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, 6000, generator=generator, dtype=torch.float64)


def test_a_gain() -> None:
    (target,) = waves(1)
    loss = multi_resolution_stft_loss(0.25 * target, target)
    assert float(loss) == pytest.approx(0.75 + math.log(4), rel=1e-4)


def test_it_is_blind_to_polarity_and_zero_at_the_target() -> None:
    (target,) = waves(1)
    assert float(multi_resolution_stft_loss(-target, target)) == pytest.approx(0, abs=1e-9)


def spectrum(wave: Wave, fft: int, hop: int, window: int) -> Wave:
    """Centred frames, the window in the middle of each."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    padded = np.pad(wave, fft // 2)
    first = (fft - window) // 2
    starts = range(0, len(wave) + 1, hop)
    frames = [padded[s + first : s + first + window] * hann for s in starts]
    return np.maximum(np.abs(np.fft.rfft(frames, fft)), math.sqrt(1e-7))


def test_numpy_agrees() -> None:
    estimate, target = waves()
    expected = []
    for sizes in [(1024, 120, 600), (2048, 240, 1200), (512, 50, 240)]:
        y, s = spectrum(estimate.numpy(), *sizes), spectrum(target.numpy(), *sizes)
        convergence = np.sqrt(((s - y) ** 2).sum() / (s**2).sum())
        expected.append(convergence + np.abs(np.log(s / y)).mean())
    loss = multi_resolution_stft_loss(estimate, target)
    assert float(loss) == pytest.approx(np.mean(expected), rel=1e-6)


def test_every_estimate_is_compared_with_every_target() -> None:
    pair = waves()
    table = multi_resolution_stft_loss(pair[:, None], pair[None])
    assert float(table[1, 0]) == pytest.approx(float(multi_resolution_stft_loss(pair[1], pair[0])))
    assert table.shape == (2, 2)


def test_silence_gives_numbers() -> None:
    silent = torch.zeros(6000, requires_grad=True)
    loss = multi_resolution_stft_loss(silent, torch.zeros(6000))
    loss.backward()
    assert float(loss.detach()) == 0
    assert silent.grad is not None
    assert silent.grad.isfinite().all()
