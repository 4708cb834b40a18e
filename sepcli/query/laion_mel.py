"""What LAION-CLAP hears: ten seconds at 48 kHz as 64 mel bands in dB, a frame every 10 ms.

The settings of LAION's checkpoints (Wu et al., 2023, "Large-scale contrastive language-audio
pretraining with feature fusion and keyword-to-caption augmentation", arXiv 2211.06687). Every
step is differentiable, so that a loss on an embedding reaches the waveform.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

RATE = 48_000  # Hz
WINDOW = 10 * RATE  # samples
FFT = 1024  # samples
HOP = 480  # samples, 10 ms
BANDS = 64
LOWEST, HIGHEST = 50.0, 14_000.0  # Hz
FLOOR = 1e-10  # of the power: -100 dB

BREAK_HERTZ = 1000.0  # Slaney's scale is linear below, logarithmic above
MELS_PER_HERTZ = 3 / 200
BREAK_MEL = BREAK_HERTZ * MELS_PER_HERTZ
LOG_STEP = math.log(6.4) / 27  # 27 mels above the break are a factor of 6.4


def ten_seconds(wave: Tensor) -> Tensor:
    """Cut or fill up a waveform to windows of ten seconds.

    A shorter one is repeated as often as it fits whole, and followed by zeros, as in LAION's
    training. A longer one is covered by as few windows as reach from its first sample to its
    last, evenly spaced: LAION's code takes one at random, which gives another answer every time.

    Args:
        wave: (..., samples) at 48 kHz, at least one sample.

    Returns:
        (..., windows, WINDOW)
    """
    samples = wave.shape[-1]
    if samples <= WINDOW:
        whole = torch.cat([wave] * (WINDOW // samples), dim=-1)
        return torch.nn.functional.pad(whole, (0, WINDOW - whole.shape[-1]))[..., None, :]
    count = math.ceil(samples / WINDOW)
    starts = [round(i * (samples - WINDOW) / (count - 1)) for i in range(count)]
    return torch.stack([wave[..., start : start + WINDOW] for start in starts], dim=-2)


def log_mel(wave: Tensor) -> Tensor:
    """Power in mel bands, in dB.

    Args:
        wave: (batch, samples) at 48 kHz, more than 512 samples.

    Returns:
        (batch, samples // HOP + 1, BANDS)
    """
    hann = torch.hann_window(FFT, dtype=wave.dtype, device=wave.device)
    spec = torch.stft(wave, FFT, HOP, window=hann, pad_mode="reflect", return_complex=True)
    power = spec.real.square() + spec.imag.square()
    bands = power.mT @ mel_filters().to(power)
    return bands.clamp(min=FLOOR).log10() * 10


def mel_filters() -> Tensor:
    """Triangles between neighbours' centres, (FFT // 2 + 1, BANDS), float32.

    Slaney's scale (1998, Auditory Toolbox, Interval report 1998-010). Each triangle has the
    area 1 over hertz, its height being 2 / width, so white noise is level across the bands.

    LAION's filters are librosa's, which are rounded to single precision before and after they
    are scaled. So are these: the 1e-7 dB between them and exact ones grow 10^4-fold on their way
    through the golden outputs' networks.
    """
    low, high = _mel(LOWEST), _mel(HIGHEST)
    step = (high - low) / (BANDS + 1)
    edges = [_hertz(low + i * step) for i in range(BANDS + 2)]
    left, centre, right = torch.tensor(edges, dtype=torch.float64).unfold(0, 3, 1).T
    hertz = torch.linspace(0, RATE / 2, FFT // 2 + 1, dtype=torch.float64)[:, None]
    rising, falling = (hertz - left) / (centre - left), (right - hertz) / (right - centre)
    triangles = torch.minimum(rising, falling).clamp(min=0).float()
    filters: Tensor = (triangles * (2 / (right - left))).float()
    return filters


def _mel(hertz: float) -> float:
    if hertz < BREAK_HERTZ:
        return hertz * MELS_PER_HERTZ
    return BREAK_MEL + math.log(hertz / BREAK_HERTZ) / LOG_STEP


def _hertz(mel: float) -> float:
    if mel < BREAK_MEL:
        return mel / MELS_PER_HERTZ
    return BREAK_HERTZ * math.exp((mel - BREAK_MEL) * LOG_STEP)
