"""The page on many workers says what the measured rates say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def cost() -> ModuleType:
    """benchmarks/cost.py"""
    spec = importlib.util.spec_from_file_location("cost", ROOT / "benchmarks/cost.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_costs_are_those_of_the_measured_rates(cost: ModuleType) -> None:
    text = (ROOT / "docs/scale.md").read_text()
    written = text.split("<!-- written by benchmarks/cost.py -->\n")[1].split("<!-- end -->")[0]
    assert written == cost.page() + "\n", "put in what `python benchmarks/cost.py` prints"


def test_costs_are_rate_times_price(cost: ModuleType) -> None:
    assert cost.core_hours(2, 50.0) == pytest.approx(40.0)
    assert cost.cores_of("x86_64, 16 cores, Python 3.11") == 16
    assert "1000 hours cost 8.00 on it" in cost.page(gpu_hour=4.0, gpu_rate=500.0)
