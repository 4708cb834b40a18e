"""Magnitudes against torch.stft."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sepcli.evaluation.metrics import spectra


@pytest.mark.parametrize("padding", ["reflect", "constant"])
@pytest.mark.parametrize("samples", [600, 10_000])
def test_equal_to_torch(monkeypatch: pytest.MonkeyPatch, padding: str, samples: int) -> None:
    monkeypatch.setattr(spectra, "FRAMES_AT_ONCE", 7)  # several blocks, the last one shorter
    signal = np.random.default_rng(0).standard_normal(samples)
    window = spectra.periodic_hann(512)
    ours = spectra.magnitudes(signal, window, 128, padding)  # type: ignore[arg-type]
    theirs = torch.stft(
        torch.from_numpy(signal),
        512,
        128,
        window=torch.hann_window(512, dtype=torch.float64),
        pad_mode=padding,
        return_complex=True,
    )
    np.testing.assert_allclose(ours.T, theirs.abs().numpy(), atol=1e-10)
