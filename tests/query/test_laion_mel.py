"""LAION-CLAP's front end against closed forms and torchaudio."""

from __future__ import annotations

import math

import pytest
import torch
from torchaudio.functional import melscale_fbanks

from sepcli.query.laion_mel import BANDS, HOP, RATE, WINDOW, log_mel, mel_filters, ten_seconds


def test_filters_are_slaney_triangles() -> None:
    theirs = melscale_fbanks(513, 50.0, 14_000.0, BANDS, RATE, "slaney", "slaney")
    torch.testing.assert_close(mel_filters(), theirs, rtol=1e-3, atol=1e-7)


def test_a_sine_has_the_power_of_its_window() -> None:
    # At a bin's centre |X| = A/2 * sum(hann) = A * 256, and 1/4 of that power in both neighbours.
    frequency, amplitude = 40 * RATE / 1024, 0.5
    wave = amplitude * torch.sin(2 * math.pi * frequency * torch.arange(RATE) / RATE).double()
    bands = log_mel(wave[None])
    assert bands.shape == (1, RATE // HOP + 1, BANDS)
    weights = mel_filters()[39:42].double().T @ torch.tensor([0.25, 1.0, 0.25]).double()
    band = int(weights.argmax())
    expected = 10 * torch.log10((amplitude * 256) ** 2 * weights[band])
    torch.testing.assert_close(bands[0, 50, band], expected, rtol=0, atol=0.01)


def test_silence_is_at_the_floor() -> None:
    assert torch.equal(log_mel(torch.zeros(1, 4800)), torch.full((1, 11, BANDS), -100.0))


def test_a_short_wave_is_repeated_whole_and_followed_by_zeros() -> None:
    wave = torch.rand(2, 4 * RATE)
    windows = ten_seconds(wave)
    assert windows.shape == (2, 1, WINDOW)
    assert torch.equal(windows[:, 0, : 8 * RATE], torch.cat([wave, wave], dim=1))
    assert not windows[:, 0, 8 * RATE :].any()


@pytest.mark.parametrize(
    ("seconds", "starts"), [(10.0, [0.0]), (20.0, [0, 10]), (12.5, [0, 2.5]), (25.0, [0, 7.5, 15])]
)
def test_a_long_wave_is_covered_evenly(seconds: float, starts: list[float]) -> None:
    windows = ten_seconds(torch.arange(round(seconds * RATE)))
    assert windows[:, 0].tolist() == [start * RATE for start in starts]
    assert windows[-1, -1] == round(seconds * RATE) - 1
