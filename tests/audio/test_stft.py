"""The transform against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sepcli.audio.stft import hop_length, istft, stft

RATES = [8000, 16000, 32000, 44100, 48000, 96000]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("samples", [1, 799, 44100])
def test_there_and_back(rate: int, samples: int) -> None:
    wave = torch.from_numpy(np.random.default_rng(0).standard_normal((2, samples)))
    torch.testing.assert_close(istft(stft(wave, rate), rate, samples), wave)


@pytest.mark.parametrize("rate", RATES)
def test_a_bin_is_25_hz_and_a_full_scale_sine_peaks_at_one_half(rate: int) -> None:
    time = torch.arange(rate, dtype=torch.float64) / rate
    spec = stft(torch.sin(2 * torch.pi * 1000 * time), rate).abs()
    assert spec.shape == (2 * rate // 100 + 1, 101)
    assert int(spec[:, 50].argmax()) == 40
    assert float(spec[40, 50]) == pytest.approx(0.5, abs=1e-6)


def test_frames_are_10_ms_apart() -> None:
    click = torch.zeros(32000)
    click[16000] = 1.0
    energy = stft(click, 32000).abs().square().sum(0)
    assert int(energy.argmax()) == 50
    assert torch.count_nonzero(energy > 1e-12) == 3  # the outer two of 5 windows are 0 there


@pytest.mark.parametrize("samples", [1, 800, 3999])
def test_any_spectrogram_is_inverted_by_least_squares(samples: int) -> None:
    hop, frames = 160, samples // 160 + 1
    rng = np.random.default_rng(0)
    spec = torch.from_numpy(rng.standard_normal((2, 2 * hop + 1, frames, 2)) @ [1, 1j])
    window = torch.hann_window(4 * hop, dtype=torch.float64)
    wanted = torch.istft(spec, 4 * hop, hop, window=window / window.sum(), length=samples)
    torch.testing.assert_close(istft(spec, 16000, samples), wanted)


@pytest.mark.parametrize("rate", [0, -100, 11025, 22050])
def test_rates_without_a_whole_hop_are_refused(rate: int) -> None:
    with pytest.raises(ValueError, match="whole number"):
        hop_length(rate)
