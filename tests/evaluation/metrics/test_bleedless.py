"""Bleedless and fullness against their definition in torchaudio."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchaudio.functional import melscale_fbanks
from torchaudio.transforms import AmplitudeToDB

from sepcli.errors import ItemError
from sepcli.evaluation.metrics.bleedless import (
    bleedless_fullness,
    evaluate,
    hz_to_mel,
    mel_bank,
    mel_to_hz,
)
from sepcli.evaluation.metrics.resampling import resampled
from sepcli.evaluation.scene import Array, Scene


def with_torch(reference: Array, estimate: Array) -> tuple[float, float]:
    """The definition, with torchaudio's mel bank instead of librosa's."""
    bank = torch.from_numpy(mel_bank())
    window = torch.hann_window(4096, dtype=torch.float64)
    levels = [
        AmplitudeToDB(stype="magnitude", top_db=80)(
            bank
            @ torch.stft(
                torch.from_numpy(x),
                4096,
                1024,
                window=window,
                pad_mode="constant",
                return_complex=True,
            ).abs()
        )
        for x in (reference, estimate)
    ]
    difference = levels[1] - levels[0]
    added = float(difference[difference > 0].mean())
    lost = float(difference[difference < 0].mean())
    return 100 / (added + 1), 100 / (1 - lost)


def sources() -> tuple[Array, Array]:
    """Channels of different levels: the floor of 80 dB is that of the louder."""
    s, n = np.random.default_rng(0).standard_normal((2, 2, 20_000))
    s[1] *= 1e-4
    return s, n


def test_equal_to_their_definition() -> None:
    s, n = sources()
    for e in (s + 0.1 * n, 0.5 * s + 0.01 * n):
        assert bleedless_fullness(s, e, 44100) == pytest.approx(with_torch(s, e), rel=1e-9)


def test_the_mel_bank_is_torchaudios() -> None:
    theirs = melscale_fbanks(2049, 0.0, 22050.0, 512, 44100, "slaney", "slaney").T.numpy()
    np.testing.assert_allclose(mel_bank(), theirs, atol=5e-6)  # theirs is in single precision


def test_mels() -> None:
    assert hz_to_mel(1000) == pytest.approx(15)
    assert hz_to_mel(6400) == pytest.approx(42)
    assert mel_to_hz(np.array([0.0, 3.0, 15.0, 42.0])) == pytest.approx([0, 200, 1000, 6400])


def test_a_gain_is_one_or_the_other() -> None:
    """6 dB more everywhere: 100 / (1 + 6.02) and 100; 6 dB less: the reverse."""
    n = np.random.default_rng(0).standard_normal((1, 20_000))
    six = 100 / (1 + 20 * np.log10(2))
    # Bins at the floor move with the maximum, as all others do.
    assert bleedless_fullness(n, 2 * n, 44100) == pytest.approx((six, 100))
    assert bleedless_fullness(2 * n, n, 44100) == pytest.approx((100, six))


def test_perfect_and_silent() -> None:
    n = np.random.default_rng(0).standard_normal((1, 5000))
    assert bleedless_fullness(n, n, 44100) == (100, 100)
    assert bleedless_fullness(0 * n, 0 * n, 44100) == (100, 100)
    bleedless, fullness = bleedless_fullness(0 * n, n, 44100)
    assert bleedless < 2
    assert fullness == 100
    assert bleedless_fullness(n, 0 * n, 44100) == pytest.approx((100, bleedless))


def test_other_rates_are_resampled() -> None:
    s, n = np.random.default_rng(0).standard_normal((2, 1, 8000))
    moved = resampled(s, 16000, 44100), resampled(s + n, 16000, 44100)
    assert bleedless_fullness(s, s + n, 16000) == bleedless_fullness(*moved, 44100)


def test_scenes() -> None:
    s, n = sources()
    scores = evaluate(Scene(44100, ("a", "b"), np.stack([s, n]), np.stack([s, s]), s + n))
    bleedless, fullness = bleedless_fullness(n, s, 44100)
    assert scores["bleedless"] == pytest.approx([100, bleedless])
    assert scores["fullness"] == pytest.approx([100, fullness])


def test_what_cannot_be_compared() -> None:
    with pytest.raises(ItemError, match="differ in shape"):
        bleedless_fullness(np.ones((1, 9)), np.ones((1, 8)), 44100)
