"""Fixed stems by learned queries."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from sepcli.nets.band_unet import BandUNet
from sepcli.nets.slots import SlottedBandUNet

SIZES = {"embedding": 16, "widths": (4, 6, 8, 8), "hidden": 4}


@pytest.fixture
def mixture() -> torch.Tensor:
    return 0.3 * torch.randn(2, 2, 8000, generator=torch.Generator().manual_seed(1))


def test_a_slot_is_a_query(mixture: torch.Tensor) -> None:
    torch.manual_seed(0)
    net = SlottedBandUNet(3, **SIZES).eval()
    plain = BandUNet(**SIZES, presence="none").eval()
    state = net.state_dict()
    directions = state.pop("directions")
    plain.load_state_dict(state)
    stems, presence = net(mixture, None, 16000)
    torch.testing.assert_close(stems, plain(mixture, F.normalize(directions, dim=-1), 16000)[0])
    assert stems.shape == (2, 3, 2, 8000)
    assert presence is None


def test_consistent_stems_sum_to_the_mixture(mixture: torch.Tensor) -> None:
    torch.manual_seed(0)
    net = SlottedBandUNet(3, **SIZES, consistent=True).eval()
    free = SlottedBandUNet(3, **SIZES).eval()
    free.load_state_dict(net.state_dict())
    stems = net(mixture, None, 16000)[0]
    torch.testing.assert_close(stems.sum(dim=1), mixture, atol=1e-5, rtol=1e-5)
    others = free(mixture, None, 16000)[0]
    missing = mixture - others.sum(dim=1)
    torch.testing.assert_close(stems[:, 0] - others[:, 0], missing / 3, atol=1e-5, rtol=1e-4)
