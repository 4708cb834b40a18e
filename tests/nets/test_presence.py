"""The judge of answers: its evidence is what it says it is, and nothing flows back."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from sepcli.nets.band_unet import BandUNet
from sepcli.nets.bands import BINS
from sepcli.nets.presence import Answer, Presence, energy_passed


@pytest.fixture
def net() -> BandUNet:
    torch.manual_seed(0)
    return BandUNet(embedding=16, widths=(4, 6, 8, 8), hidden=4)


def an_answer(net: BandUNet) -> Answer:
    generator = torch.Generator().manual_seed(1)
    queries = F.normalize(torch.randn(2, 3, 16, generator=generator), dim=-1)
    return net.answer(torch.rand(2, BINS, 64, generator=generator), queries)


def test_energy_passed_by_masks_in_the_open() -> None:
    magnitude = torch.rand(2, 5, 7)
    masks = torch.full((2, 3, 5, 7), 0.1)
    masks[:, 1] = 1.0
    masks[:, 2] = 0.0
    passed = energy_passed(masks, magnitude)
    expected = torch.tensor([math.log(0.01 + 1e-6), 0.0, math.log(1e-6)])
    torch.testing.assert_close(passed, expected.expand(2, 3), atol=1e-4, rtol=1e-5)


def test_the_ear_hears_the_answer_and_the_mixture(net: BandUNet) -> None:
    net.eval()
    answer = an_answer(net)
    evidence = net.presence.evidence(answer)
    ear = net.presence.ear
    assert ear is not None
    filtered = answer.masks[1, 2] * answer.magnitude[1]
    alone = ear.embed(filtered[None])[0] @ answer.queries[1, 2]
    together = ear.embed(answer.magnitude[1:])[0] @ answer.queries[1, 2]
    row = 1 * 3 + 2  # item 1, query 2
    torch.testing.assert_close(evidence[row, -2:], torch.stack([alone, together]))
    passed = energy_passed(answer.masks, answer.magnitude)[1, 2]
    torch.testing.assert_close(evidence[row, -3], passed)


def test_nothing_flows_back_into_the_network(net: BandUNet) -> None:
    net.presence(an_answer(net)).sum().backward()
    learnt = {n.split(".")[0] for n, p in net.named_parameters() if p.grad is not None}
    assert learnt == {"presence"}


def test_the_ear_stays_as_it_was_trained(net: BandUNet) -> None:
    net.train()
    ear = net.presence.ear
    assert ear is not None
    before = {key: value.clone() for key, value in ear.state_dict().items()}
    net.presence(an_answer(net))
    assert not ear.training
    assert all(torch.equal(value, before[key]) for key, value in ear.state_dict().items())


def test_a_judge_without_an_ear() -> None:
    deaf = Presence(deep=8, fine=4, embedding=16, hears=False)
    assert deaf.ear is None
    assert deaf.features.in_features == 2 * (8 + 4) + 1
