"""The moving average of weights against its closed form."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sepcli.training.loop.average import Average


def counting(values: list[float], decay: float) -> tuple[Average, nn.Module]:
    """The average of a module whose weight takes values one after another."""
    module = nn.BatchNorm1d(1)
    average = Average(module, decay)
    for value in values:
        nn.init.constant_(module.weight, value)
        assert module.num_batches_tracked is not None
        module.num_batches_tracked.fill_(int(value))
        average.update(module)
    return average, module


def test_the_decay_warms_up() -> None:
    average, _ = counting([3.0, 5.0], 0.998)
    first = 0.1 * 1.0 + 0.9 * 3.0
    assert float(average.state["weight"]) == pytest.approx(2 / 11 * first + 9 / 11 * 5.0)


def test_in_the_long_run_it_is_a_geometric_mean_of_the_past() -> None:
    values = [1.0] * 200 + [4.0] * 3
    average, _ = counting(values, 0.5)
    assert float(average.state["weight"]) == pytest.approx(4 - 3 * 0.5**3, abs=1e-6)


def test_whole_numbers_are_copied() -> None:
    assert int(counting([3.0, 7.0], 0.9)[0].state["num_batches_tracked"]) == 7


def test_it_is_lent_and_taken_back() -> None:
    average, module = counting([3.0, 5.0], 0.9)
    own = {key: value.clone() for key, value in module.state_dict().items()}
    with average.lent(module):
        assert not module.training
        assert torch.equal(module.state_dict()["weight"], average.state["weight"])
    with pytest.raises(KeyError), average.lent(module):
        raise KeyError
    assert module.training
    assert all(torch.equal(own[key], value) for key, value in module.state_dict().items())


def test_it_goes_back_to_what_it_was() -> None:
    average, module = counting([3.0, 5.0], 0.9)
    other = Average(module, 0.9)
    other.load(average.state, average.updates)
    for each in (average, other):
        nn.init.constant_(module.get_parameter("weight"), 9.0)
        each.update(module)
    assert all(torch.equal(other.state[key], value) for key, value in average.state.items())
