"""The losses that a config may name."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from sepcli.training.config import BandUNetConfig, Loss
from sepcli.training.losses import LOSSES
from sepcli.training.losses.comparison import Comparison, paper_magnitude
from sepcli.training.losses.magnitude import l1, loudness_weight
from sepcli.training.losses.si_sdr import si_sdr_loss
from sepcli.training.losses.snr import snr_loss
from sepcli.training.networks import build_masker

SAMPLES = 6400


@pytest.fixture
def pair() -> Comparison:
    masker = build_masker(BandUNetConfig(widths=(4, 6, 8, 8), hidden=8), 8)
    waves = torch.randn(3, SAMPLES, generator=torch.Generator().manual_seed(0))
    target, other, noise = masker.spectrogram(waves)
    estimates = torch.stack([target + 0.1 * noise, other])
    targets = torch.stack([target, other])
    return Comparison(estimates[:, None], targets, target + other, masker, SAMPLES)


def test_every_name_of_the_config_has_a_loss() -> None:
    assert tuple(LOSSES) == get_args(Loss)


@pytest.mark.parametrize("name", LOSSES)
def test_right_pairs_cost_least(name: Loss, pair: Comparison) -> None:
    table = LOSSES[name](pair)
    assert table.shape == (2, 2)
    assert table.argmin(dim=1).tolist() == [0, 1]
    assert float(table[1, 1]) < float(table[0, 0])


def test_each_is_what_its_name_says(pair: Comparison) -> None:
    estimate, target = pair.estimate, pair.target
    expected = {
        "snr": snr_loss(estimate, target),
        "l1-magnitude": l1(*(paper_magnitude(x, pair.masker) for x in (estimate, target))),
        "l1-weighted": l1(
            *(paper_magnitude(x, pair.masker) for x in (estimate, target)),
            loudness_weight(paper_magnitude(pair.mixture, pair.masker)),
        ),
        "si-sdr": si_sdr_loss(
            *(pair.masker.waveform(x, SAMPLES) for x in (estimate, target)),
        ),
    }
    for name, table in expected.items():
        torch.testing.assert_close(LOSSES[name](pair), table)  # type: ignore[index]
