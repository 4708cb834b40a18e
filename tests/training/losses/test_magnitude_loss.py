"""L1 on magnitudes against closed forms, and the unit of magnitude."""

from __future__ import annotations

import math

import pytest
import torch

from sepcli.nets.bimodal_unet import stft
from sepcli.training.config import BandUNetConfig, BimodalUNetConfig
from sepcli.training.losses.comparison import paper_magnitude
from sepcli.training.losses.magnitude import l1, loudness_weight
from sepcli.training.networks import build_masker

TINY = BandUNetConfig(widths=(4, 6, 8, 8), hidden=8)


def test_l1_is_a_mean_over_bins_and_frames() -> None:
    estimate = torch.tensor([[[1.0, 2.0], [3.0, 5.0]]])
    assert l1(estimate, torch.ones(1, 2, 2)).tolist() == [(0 + 1 + 2 + 4) / 4]
    weight = torch.tensor([[[9.0, 1.0], [0.5, 0.0]]])
    assert l1(estimate, torch.ones(1, 2, 2), weight).tolist() == [(0 + 1 + 1 + 0) / 4]


def test_the_weight_is_a_clamped_logarithm() -> None:
    magnitude = torch.tensor([0.0, 1e-4, math.e - 1, 1e6])
    assert loudness_weight(magnitude).tolist() == pytest.approx([1e-3, 1e-3, 1.0, 10.0])


@pytest.mark.parametrize(
    "network", [TINY, BimodalUNetConfig(name="bimodal-unet", ngf=2, num_downs=5, num_res_layers=0)]
)
def test_all_transforms_have_the_papers_unit(network: BandUNetConfig | BimodalUNetConfig) -> None:
    """A steady tone has the magnitude that the paper's transform gives it, half 511 at its peak."""
    masker = build_masker(network, 8)
    time = torch.arange(masker.rate) / masker.rate
    tone = 0.5 * torch.sin(2 * torch.pi * 1000 * time)[None]
    peak = paper_magnitude(masker.spectrogram(tone), masker)[0, :, 20:40].max()
    assert float(peak) == pytest.approx(511 / 4, rel=0.02)  # it lies between two bins


def test_the_papers_own_transform_is_left_alone() -> None:
    network = BimodalUNetConfig(name="bimodal-unet", ngf=2, num_downs=5, num_res_layers=0)
    masker = build_masker(network, 8)
    wave = torch.randn(1, 8000, generator=torch.Generator().manual_seed(0))
    spec = masker.spectrogram(wave)
    torch.testing.assert_close(paper_magnitude(spec, masker), stft(wave).abs(), rtol=1e-4, atol=0)
